"""What runs the transforms: the Spark session, DuckDB in the process, Python checks on Arrow."""
