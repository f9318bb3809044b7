"""The metrics that dataset rules may name, with the SQL that measures each."""
