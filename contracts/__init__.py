"""Contracts: the one source of truth, loaded, checked and compiled."""
