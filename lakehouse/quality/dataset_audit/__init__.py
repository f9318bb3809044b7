"""Rules on a dataset as a whole: measured in one aggregate, compared with bounds or with history."""
