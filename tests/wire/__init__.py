"""What clients write, and what they are answered."""
