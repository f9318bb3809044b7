"""Delta tables: read, appended, merged, restored, compacted, published, and their logs."""
