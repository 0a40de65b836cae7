"""Who is told what, and what waits for a slow reader."""
