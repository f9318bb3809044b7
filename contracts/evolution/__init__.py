"""How contracts change: differences, patches, drafts."""
