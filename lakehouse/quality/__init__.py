"""Rows that are refused and values that are sealed; rules on whole datasets; planted faults."""
