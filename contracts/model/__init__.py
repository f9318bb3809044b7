"""The model of a contract: frozen values, without how they are written or used."""
