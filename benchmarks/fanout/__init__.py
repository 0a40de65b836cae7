"""Fan-out beside our peers: one push to very many readers. See `bench_fanout.py`."""
