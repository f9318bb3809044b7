"""What a run leaves behind: the ledger, the lock, the contract versions it ran under."""
