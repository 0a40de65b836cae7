"""One contract, every journal."""
