"""How many deliveries a second one process does to very many readers, and when the last of them has its
push; ours beside a C send loop and the peers that a user would pick.

Ours is the command as it is: its journal in memory, real orders that trade, real subscriptions and bounds;
what is pushed follows from each order. The peers run a loop made for this, with texts as large as ours. All
servers on one core, the load (C, one thread) on the other, awake all the time while deliveries a second are
counted; interleaved rounds, medians.

    python -m benchmarks.bench_fanout [--rounds ROUNDS] [--peer NAME ...] [READERS ...]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.building import package_builds, python_alone
from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.holding import TooFewFiles, allow_files
from benchmarks.fanout.loading import Load, load
from benchmarks.fanout.servers import PEERS, Served, ours, peer
from benchmarks.running import machine

ROUNDS = 3
SECONDS = 1.5
SATURATING = 1
"""Goes under way at once: with more, one write may bring a reader several pushes, or one that stands for
several.
"""
PAUSE_US = 20_000
"""Between two pushes whose way to the last reader is timed."""

BUILDS = {
    "plain": "jayx-stream",
    "compiled": "jayx-stream, compiled",
    "alone": "jayx-stream, Python alone",
}
Serve = Callable[[], AbstractContextManager[Served]]


def variants(
    event: str, size: int, builds: dict[str, Path], peers: Sequence[str]
) -> dict[str, Serve]:
    """Ours by both doors, and peers with texts of our size."""
    found: dict[str, Serve] = {}
    for name, source in builds.items():
        found[BUILDS[name]] = partial(ours, event, source=source)
    for name in ("plain", "compiled"):
        if name in builds:
            serve = partial(ours, event, source=builds[name], socketio=True)
            found[f"{BUILDS[name]}, Socket.IO"] = serve
    for name in peers:
        found[name] = partial(peer, name, size)
    return found


def measured(
    event: str, readers: int, rounds: int, builds: dict[str, Path], peers: Sequence[str]
) -> dict[str, list[tuple[Load, Load]]]:
    """By variant, of each round: saturated, and one push at a time."""
    with ours(event, source=builds["plain"]) as served:
        size = round(load(served, 10, 1.0, window=SATURATING).push_bytes)
    found: dict[str, list[tuple[Load, Load]]] = {}
    for _ in range(rounds):
        for name, serve in variants(event, size, builds, peers).items():
            with serve() as served:
                saturated = load(served, readers, SECONDS, window=SATURATING)
            with serve() as served:
                timed = load(served, readers, SECONDS, window=1, pause_us=PAUSE_US)
            found.setdefault(name, []).append((saturated, timed))
    return found


def table(
    event: str, readers: int, rounds: int, found: dict[str, list[tuple[Load, Load]]]
) -> Table:
    """Medians, and ratios to ours."""
    sizes = found["jayx-stream"][0][0].push_bytes
    title = f"{event}, {sizes:.0f} bytes, {readers:,} readers, median of {rounds} rounds"
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("server")
    for name in (
        "deliveries/s",
        "ours / it",
        "CPU µs each",
        "last p50 ms",
        "last p99 ms",
        "ours / it",
        "RSS MiB",
    ):
        made.add_column(name, justify="right")
    own_rate = _median(found["jayx-stream"], lambda pair: pair[0].deliveries_per_s)
    own_p50 = _median(found["jayx-stream"], lambda pair: pair[1].last_p50_us)
    for name, pairs in found.items():
        rate = _median(pairs, lambda pair: pair[0].deliveries_per_s)
        p50_us = _median(pairs, lambda pair: pair[1].last_p50_us)
        made.add_row(
            name,
            f"{rate:,.0f}",
            f"{own_rate / rate:.2f}",
            f"{_median(pairs, lambda pair: pair[0].cpu_us):.2f}",
            f"{p50_us / 1000:.2f}",
            f"{_median(pairs, lambda pair: pair[1].last_p99_us) / 1000:.2f}",
            f"{own_p50 / p50_us:.2f}",
            f"{_median(pairs, lambda pair: pair[0].rss_kib) / 1024:.0f}",
        )
    return made


def _median(pairs: list[tuple[Load, Load]], figure: Callable[[tuple[Load, Load]], float]) -> float:
    return median(figure(pair) for pair in pairs)


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description="Fan-out beside peers.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peer", choices=PEERS, action="append", help="only these; else all")
    parser.add_argument("readers", type=int, nargs="*", default=[100, 1000])
    asked = parser.parse_args()
    try:
        allow_files(max(asked.readers, default=0))
        build()
    except (BuildError, TooFewFiles) as error:
        sys.exit(f"bench_fanout: {error}")
    console = Console(width=120)
    console.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        builds = package_builds(Path(folder)) | {"alone": python_alone(Path(folder))}
        for readers in asked.readers:
            for event in ("kline", "orderbook"):
                found = measured(event, readers, asked.rounds, builds, asked.peer or [*PEERS])
                console.print(table(event, readers, asked.rounds, found))


if __name__ == "__main__":
    main()
