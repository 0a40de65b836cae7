"""What can drive a venue: simulated traders, and recorded markets."""
