"""How late is each of ten thousand told, where all are told something every 100 ms?

Ours is the command as it is, with `orderbook_interval_ms` and `kline_interval_ms` at 100 and orders that
trade every 20 ms: klines of some 250 bytes, then books of some 5 KB. The peers run a loop made for this and
are told to spread a text of that size every 100 ms. All servers on one core, the crowd (C, one thread) on the
other.

Delays are those of every reader and push. Ours run from the push's own stamp, which is in whole milliseconds
cut off: up to one is too much. A peer's run from the moment at which it was told to spread. "Behind" counts
from the first reader of the same push. Missed are pushes that a reader has not been given; merged those for
which it was given a later one that says so.

    python -m benchmarks.bench_crowded [READERS [EVENT ...]]
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.holding import Told, TooFewFiles, allow_files, held
from benchmarks.fanout.loading import load
from benchmarks.fanout.servers import Served, ours, peer
from benchmarks.running import machine

READERS = 10_000
SECONDS = 8.0
INTERVAL_MS = 100
ORDER_US = 20_000
EVENTS = ("kline", "orderbook")
PEER_NAMES = ("C send loop", "uWebSockets", "Node ws", "websockets.broadcast")

Serve = Callable[[], AbstractContextManager[Served]]


def told(serve: Serve, readers: int, pace_us: int) -> tuple[Told, int, float]:
    """What the crowd was told, the server's RSS in KiB, and how many connected in a second."""
    with serve() as served:
        texts = 1 if served.stamped else 0
        with held(served, readers, served.reader, texts, pace_us) as crowd:
            return crowd.measure(SECONDS), served.rss_kib(), readers / crowd.seconds


def table(event: str, readers: int) -> Table:
    """One run of each."""
    with ours(event) as served:
        size = round(load(served, 10, 1.0, window=1).push_bytes)
    made = Table(
        title=f"{readers:,} readers of {event}, {size:,} bytes every {INTERVAL_MS} ms",
        box=box.SIMPLE_HEAD,
    )
    made.add_column("server")
    for column in (
        "p50 ms",
        "p99 ms",
        "worst ms",
        "behind p50",
        "behind p99",
        "pushes",
        "missed",
        "merged",
        "CPU",
        "RSS MiB",
        "connects/s",
    ):
        made.add_column(column, justify="right")
    rows: dict[str, tuple[Serve, int]] = {
        "jayx-stream": (lambda: ours(event, interval_ms=INTERVAL_MS), ORDER_US)
    }
    for name in PEER_NAMES:
        rows[name] = (lambda name=name: peer(name, size), INTERVAL_MS * 1000)  # type: ignore[misc]
    for name, (serve, pace_us) in rows.items():
        it, rss_kib, per_s = told(serve, readers, pace_us)
        made.add_row(
            name,
            *(f"{us / 1000:,.1f}" for us in (it.delay_p50_us, it.delay_p99_us, it.delay_max_us)),
            *(f"{us / 1000:,.1f}" for us in (it.behind_p50_us, it.behind_p99_us)),
            f"{it.pushes}",
            f"{it.pushes * readers - it.told - it.merged:,}",
            f"{it.merged:,}",
            f"{it.cpu_share:.0%}",
            f"{rss_kib / 1024:.0f}",
            f"{per_s:,.0f}",
        )
    return made


def main() -> None:
    """Build, measure, print."""
    word, *events = sys.argv[1:] or [str(READERS)]
    if not word.isdigit() or not int(word):
        sys.exit(f"bench_crowded: {word!r} is no number of readers")
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        sys.exit(f"bench_crowded: no event {unknown[0]!r}; there are {', '.join(EVENTS)}")
    readers = int(word)
    try:
        allow_files(readers)
        build()
    except (TooFewFiles, BuildError) as error:
        sys.exit(f"bench_crowded: {error}")
    console = Console(width=140)
    console.print(f"{machine()}; descriptors a process: {readers:,} and some")
    for event in events or EVENTS:
        console.print(table(event, readers))


if __name__ == "__main__":
    main()
