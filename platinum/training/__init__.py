"""Training of models from labelled examples, and where trained models are kept."""
