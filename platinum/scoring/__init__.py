"""Scores of events: read from a stream, joined with context, written once."""
