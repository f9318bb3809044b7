"""What the project says of its speed, measured: `python -m benchmarks`, results as data."""
