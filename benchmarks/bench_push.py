"""How long from an order to its push of the book, at the first and at the last of 1, 100, 1,000 and 5,000
readers, with TLS and without?

The command as it is, its journal in memory: each order comes alone over a WebSocket that is logged in,
and trades; the push is due at once (`orderbook_interval_ms = 0`). The next one is sent some milliseconds
after the last reader had its push. Times run from the order's first byte to the push, the load included: that
is one thread in C, on the other core. The first reader is whoever was told first. "Awake": with
`busy_poll_ms`.

    python -m benchmarks.bench_push [READERS ...]
"""

import sys
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.holding import TooFewFiles, allow_files
from benchmarks.fanout.loading import Load, load
from benchmarks.fanout.servers import ours
from benchmarks.running import machine

READERS = (1, 100, 1_000, 5_000)
ROUNDS = 3
SECONDS = 2.0
PAUSE_US = 20_000
AWAKE = {"[log]": "[server]\nbusy_poll_ms = 1000\n\n[log]"}
WAYS: dict[str, tuple[bool, dict[str, str]]] = {
    "": (False, {}),
    ", awake": (False, AWAKE),
    ", TLS": (True, {}),
}
"""Of serving: with TLS or without, and what changes in the configuration."""


def measured(readers: int) -> dict[str, list[Load]]:
    """Of each way and round."""
    loads: dict[str, list[Load]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, (tls, changes) in WAYS.items():
            with ours("orderbook", tls=tls, changes=changes) as served:
                one = load(served, readers, SECONDS, window=1, pause_us=PAUSE_US)
            loads[way].append(one)
    return loads


def main() -> None:
    """Build, measure, print."""
    unknown = [word for word in sys.argv[1:] if not word.isdigit() or not int(word)]
    if unknown:
        sys.exit(f"bench_push: {unknown[0]!r} is no number of readers")
    counts = [int(word) for word in sys.argv[1:]] or list(READERS)
    try:
        allow_files(max(counts))
        build()
    except (TooFewFiles, BuildError) as error:
        sys.exit(f"bench_push: {error}")
    made = Table(
        title=f"ms from an order to its push of the book, median of {ROUNDS} rounds",
        box=box.SIMPLE_HEAD,
    )
    made.add_column("readers")
    columns = ("bytes", "first p50", "first p99", "last p50", "last p99", "orders")
    for column in columns:
        made.add_column(column, justify="right")
    for readers in counts:
        for way, loads in measured(readers).items():
            figures = [
                [each.first_p50_us, each.first_p99_us, each.last_p50_us, each.last_p99_us]
                for each in loads
            ]
            made.add_row(
                f"{readers:,}{way}",
                f"{loads[0].push_bytes:,.0f}",
                *(f"{median(column) / 1000:.2f}" for column in zip(*figures, strict=True)),
                f"{sum(each.rounds for each in loads):,}",
            )
    console = Console(width=120)
    console.print(machine())
    console.print(made)


if __name__ == "__main__":
    main()
