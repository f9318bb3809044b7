"""From YAML to the model; every error names its file and line."""
