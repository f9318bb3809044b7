"""Enrichment of rows by inference: texts in, vectors out."""
