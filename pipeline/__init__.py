"""What a run is: which layers it walks, when there is work, whom it notifies."""
