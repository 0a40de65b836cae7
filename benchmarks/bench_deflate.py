"""What compressing books costs where it is done once for all readers, beside peers who do it for each; and
what it saves, beside `mode: delta`.

Ours is the command as it is, `[streams] deflate = true`; behind each push are five orders, three that
rest and two that trade. The peers spread, in turn, texts that were recorded of ours, driven in the same
way, with their own permessage-deflate. A send loop in C spreads texts as long as ours are compressed: no
one could be faster here by more than it is. All readers offer the extension as browsers do. All servers on
one core, the load (C, one thread) on the other; interleaved rounds, medians. Bytes are those on the wire,
without the frame's head. CPU includes the handshakes.

With UNDER_WAY goes unanswered at a time (1: the next when the push of the one before is read) ours makes one
push of what was changed meanwhile, which stands for all of it; see `bench_backlog`.

    python -m benchmarks.bench_deflate [READERS [ROUNDS [UNDER_WAY]]]
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.building import package_builds
from benchmarks.fanout.books import BOOK, OFFER, PEERS, driven, peer, record
from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.loading import Load, load, median_of
from benchmarks.fanout.servers import Served, ours
from benchmarks.fanout.servers import peer as plain_peer
from benchmarks.running import machine

READERS, ROUNDS, UNDER_WAY = 1000, 3, 1
SECONDS = 2.0
OURS = "jayx-stream, deflate"

Serve = Callable[[], AbstractContextManager[Served]]


@contextlib.contextmanager
def book(*, deflate: bool, source: Path | None = None, **more: object) -> Iterator[Served]:
    """Ours; `more` is asked of the book."""
    with ours("orderbook", deflate=deflate, resting=BOOK, source=source) as served:
        yield replace(driven(served, **more), offer=OFFER)


def variants(texts: Path, builds: dict[str, Path]) -> dict[str, Serve]:
    """Ours compressed, all peers, and ours in other forms."""
    ours_plain = partial(book, source=builds["plain"])
    found: dict[str, Serve] = {OURS: partial(ours_plain, deflate=True)}
    if "compiled" in builds:
        found[f"{OURS}, compiled"] = partial(book, deflate=True, source=builds["compiled"])
    with found[OURS]() as served:
        size = round(load(served, 1, SECONDS, window=1).push_bytes)
    found["C send loop, as many bytes"] = partial(plain_peer, "C send loop", size)
    for name in PEERS:
        found[name] = partial(peer, name, texts)
    found["jayx-stream, not compressed"] = partial(ours_plain, deflate=False)
    found["jayx-stream, mode: delta"] = partial(ours_plain, deflate=False, mode="delta")
    found["jayx-stream, mode: delta, deflate"] = partial(ours_plain, deflate=True, mode="delta")
    return found


def measured(
    serves: dict[str, Serve], readers: int, rounds: int, under_way: int
) -> dict[str, list[Load]]:
    """By variant, of each round."""
    found: dict[str, list[Load]] = {}
    for _ in range(rounds):
        for name, serve in serves.items():
            with serve() as served:
                run = load(served, readers, SECONDS, window=under_way)
                found.setdefault(name, []).append(run)
    return found


def table(text_bytes: float, readers: int, under_way: int, found: dict[str, list[Load]]) -> Table:
    """Medians, and ratios to ours."""
    rounds = len(found[OURS])
    title = (
        f"books of {text_bytes:,.0f} bytes, {readers:,} readers, {under_way} unanswered, "
        f"median of {rounds} rounds"
    )
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("server")
    for name in (
        "changes/s × readers",
        "ours / it",
        "deliveries/s",
        "ours / it",
        "CPU µs each",
        "it / ours",
        "bytes a push",
        "of the book",
        "RSS MiB",
    ):
        made.add_column(name, justify="right")
    own_changes = median_of(found[OURS], lambda run: run.changes_per_s)
    own_rate = median_of(found[OURS], lambda run: run.deliveries_per_s)
    own_cpu_us = median_of(found[OURS], lambda run: run.cpu_us)
    for name, runs in found.items():
        changes = median_of(runs, lambda run: run.changes_per_s)
        rate = median_of(runs, lambda run: run.deliveries_per_s)
        cpu_us = median_of(runs, lambda run: run.cpu_us)
        push_bytes = median_of(runs, lambda run: run.push_bytes)
        made.add_row(
            name,
            f"{changes:,.0f}",
            f"{own_changes / max(1.0, changes):.2f}",
            f"{rate:,.0f}",
            f"{own_rate / max(1.0, rate):.2f}",
            f"{cpu_us:.1f}",
            f"{cpu_us / own_cpu_us:.2f}",
            f"{push_bytes:,.0f}",
            f"{push_bytes / text_bytes:.0%}",
            f"{median_of(runs, lambda run: run.rss_kib) / 1024:.0f}",
        )
    return made


def main() -> None:
    """Build, record, measure, print."""
    words = sys.argv[1:]
    if len(words) > 3 or not all(word.isdecimal() and int(word) for word in words):
        sys.exit("usage: python -m benchmarks.bench_deflate [READERS [ROUNDS [UNDER_WAY]]]")
    defaults = (READERS, ROUNDS, UNDER_WAY)
    readers, rounds, under_way = (*map(int, words), *defaults[len(words) :])
    try:
        build()
    except BuildError as error:
        sys.exit(f"bench_deflate: {error}")
    console = Console(width=150)
    console.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder) / "books"
        with book(deflate=False) as served:
            recorded = record(served)
        texts.write_text("\n".join(recorded))
        serves = variants(texts, package_builds(Path(folder)))
        text_bytes = mean(map(len, recorded))
        found = measured(serves, readers, rounds, under_way)
        console.print(table(text_bytes, readers, under_way, found))


if __name__ == "__main__":
    main()
