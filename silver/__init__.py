"""The gate, quarantine and the Data Vault."""
