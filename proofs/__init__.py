"""Proofs: what the lakehouse promises, tried on many random logs and at every place to die."""
