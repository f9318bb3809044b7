"""Capture: what a source gives, change by change, as it came."""
