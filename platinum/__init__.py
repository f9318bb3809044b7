"""Streams, scores and enrichment."""
