"""Tells the owner of a dataset, once, that it broke its contract, and when it flows again."""
