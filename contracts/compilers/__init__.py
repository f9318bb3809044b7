"""What is derived from a contract: gate, schemas, suites, SQL, dbt YAML, hash keys."""
