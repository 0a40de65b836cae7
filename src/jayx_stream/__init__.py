"""jayx-stream: a spot exchange's stream server that anyone can run."""

__version__ = "0.1.0"
