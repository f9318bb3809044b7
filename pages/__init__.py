"""What a person reads in a browser: the report and the catalog, each one file."""
