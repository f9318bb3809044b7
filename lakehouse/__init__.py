"""What every layer needs: settings, Spark session, tables, run ledger."""
