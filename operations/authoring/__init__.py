"""Writing contracts: drafts from files, proposals from drift, comparisons, derived files."""
