"""How many changes a second reach 1,000 readers if orders don't wait for one another? Ours beside a C send
loop and the peers that a user would pick.

In `bench_fanout` an order comes when the push of the one before is read. Here so many are unanswered at a
time. The peers bring each reader each text, uWebSockets several in one write. Ours tells a state: changes
that are done before it is told are one push (docs/protocol.md, `kline`, `orderbook`), so a reader gets fewer
texts and is no less up to date. So a change that reached a reader is what is counted; beside it, pushes.
All servers on one core, the load (C, one thread, always awake) on the other; interleaved rounds, medians.

    python -m benchmarks.bench_backlog [--rounds ROUNDS] [--readers READERS] [UNDER_WAY ...]
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.holding import TooFewFiles, allow_files
from benchmarks.fanout.loading import Load, load, median_of
from benchmarks.fanout.servers import Served, ours, peer
from benchmarks.running import machine

ROUNDS, READERS, UNDER_WAY = 3, 1000, (4, 16)
SECONDS = 1.5
OURS = "jayx-stream"
OTHERS = ("C send loop", "uWebSockets", "Node ws", "websockets.broadcast", "Node socket.io")


def measured(event: str, readers: int, under_way: int, rounds: int) -> dict[str, list[Load]]:
    """By server, of each round."""
    with ours(event) as served:
        size = round(load(served, 10, 1.0, window=1).push_bytes)
    serves: dict[str, Callable[[], AbstractContextManager[Served]]] = {
        OURS: partial(ours, event),
        f"{OURS}, Socket.IO": partial(ours, event, socketio=True),
        **{name: partial(peer, name, size) for name in OTHERS},
    }
    found: dict[str, list[Load]] = {}
    for _ in range(rounds):
        for name, serve in serves.items():
            with serve() as served:
                run = load(served, readers, SECONDS, window=under_way)
                found.setdefault(name, []).append(run)
    return found


def table(event: str, readers: int, under_way: int, found: dict[str, list[Load]]) -> Table:
    """Medians, and ratios to ours."""
    bytes_each = median_of(found[OURS], lambda run: run.push_bytes)
    title = (
        f"{event}, {bytes_each:.0f} bytes, {readers:,} readers, {under_way} unanswered, "
        f"median of {len(found[OURS])} rounds"
    )
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("server")
    for name in (
        "changes/s × readers",
        "ours / it",
        "pushes/s × readers",
        "CPU µs a change",
        "RSS MiB",
    ):
        made.add_column(name, justify="right")
    own_rate = median_of(found[OURS], lambda run: run.changes_per_s)
    for name, runs in found.items():
        rate = median_of(runs, lambda run: run.changes_per_s)
        pushes_per_s = median_of(runs, lambda run: run.deliveries_per_s)
        cpu_us = median_of(runs, lambda run: run.cpu_us) * pushes_per_s / max(1.0, rate)
        made.add_row(
            name,
            f"{rate:,.0f}",
            f"{own_rate / max(1.0, rate):.2f}",
            f"{pushes_per_s:,.0f}",
            f"{cpu_us:.2f}",
            f"{median_of(runs, lambda run: run.rss_kib) / 1024:.0f}",
        )
    return made


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description="Fan-out where orders don't wait.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("under_way", type=int, nargs="*", default=UNDER_WAY, help="2 or more")
    asked = parser.parse_args()
    if min(asked.under_way) < 2:
        sys.exit("bench_backlog: fewer than 2 under way is what bench_fanout measures")
    try:
        allow_files(asked.readers)
        build()
    except (BuildError, TooFewFiles) as error:
        sys.exit(f"bench_backlog: {error}")
    console = Console(width=120)
    console.print(machine())
    for under_way in asked.under_way:
        for event in ("kline", "orderbook"):
            found = measured(event, asked.readers, under_way, asked.rounds)
            console.print(table(event, asked.readers, under_way, found))


if __name__ == "__main__":
    main()
