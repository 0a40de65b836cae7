"""A soak: the real command under clients that come, ask, trade, are cut and come back, for as long as is
wanted; afterwards it holds no more than it is known to hold, and nothing of those who left.

`make soak SECONDS=...` runs it alone; a few seconds of it run with the other tests.
"""
