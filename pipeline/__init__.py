"""What a run is: its layers in order, when it has work, whom it notifies, what schedules it."""
