"""The nouns: what everyone else speaks about. No behaviour beyond arithmetic, no I/O, no clock."""
