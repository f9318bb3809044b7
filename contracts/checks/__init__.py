"""Row checks: the registry, one entry a check, and what entries are made of."""
