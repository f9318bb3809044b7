"""Stars, marts and feature sets, built by dbt and published."""
