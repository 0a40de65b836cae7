"""The clients that people use, end to end against a venue."""
