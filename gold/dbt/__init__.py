"""dbt: the adapter to the warehouse, and the project as one domain uses it."""
