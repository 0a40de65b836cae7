"""Spreads, pure: who listens to what, and what waits for each of them."""
