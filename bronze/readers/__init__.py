"""Kinds of source: each reads its files into the columns of bronze, or refuses a file by name."""
