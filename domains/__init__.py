"""What no declaration can say about a domain: its sample source and its model's training."""
