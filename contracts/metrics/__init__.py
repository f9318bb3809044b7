"""Dataset metrics: the registry, one entry a metric, and what entries are made of."""
