"""What a contract is: frozen values, without how they are written or used."""
