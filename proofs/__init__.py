"""Proofs: random change logs against an oracle in plain Python, and runs killed everywhere."""
