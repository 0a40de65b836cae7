"""The road of commands."""
