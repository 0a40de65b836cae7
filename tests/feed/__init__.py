"""The road of events."""
