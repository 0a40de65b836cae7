"""What do very many streams cost: 200 symbols x (11 klines + book), readers who take 20 of them each?

Each order trades on a symbol by chance; its twelve streams change, and whoever reads one of them is told.
Ours is the command as it is, by both doors; the peers send texts as large as ours to whom they would. First
as fast as answers come, then at a fixed pace: there also with our streams' intervals, which let many
changes go into one push and many pushes into one write. Servers on one core, the load (C) on the other;
connects and subscriptions are not in the figures; interleaved rounds, medians.

    python -m benchmarks.bench_streams [READERS]
"""

import sys
from collections.abc import Callable
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.streams import (
    PEERS,
    STREAMS_PER_READER,
    SYMBOLS,
    Spoken,
    Spread,
    chosen,
    ours,
    peer,
    spread,
)
from benchmarks.running import machine

READERS = 500
ROUNDS = 3
SECONDS = 3.0
WINDOW = 16
"""Orders under way at once, at most."""
PAUSE_US = 2_500
"""Between two orders, where their pace is fixed."""
INTERVALS_MS = {"at once": (0, 0), "by default": (250, 100)}
"""Between two pushes of a kline, of a book."""
RAW, SOCKETIO = "jayx-stream", "jayx-stream, Socket.IO"
REFERENCES = {"Node socket.io": SOCKETIO}
"""With which of ours a peer is compared; all others with the raw door."""

Rounds = dict[str, list[Spread]]


def measure(readers: int, saturated: Rounds, paced: Rounds) -> None:
    """One round of everything."""
    streams = chosen(readers)
    sizes = (0, 0)

    def both(name: str, spoken: Spoken) -> None:
        saturated.setdefault(name, []).append(spread(spoken, SECONDS, window=WINDOW))
        add_paced(name, spoken)

    def add_paced(name: str, spoken: Spoken) -> None:
        told = spread(spoken, SECONDS, window=WINDOW, pause_us=PAUSE_US)
        paced.setdefault(name, []).append(told)

    for how, (kline_ms, book_ms) in INTERVALS_MS.items():
        with ours(kline_ms=kline_ms, book_ms=book_ms) as venue:
            sizes = venue.sizes()
            for name in (RAW, SOCKETIO):
                spoken = venue.spoken(streams, socketio=name == SOCKETIO)
                if kline_ms:
                    add_paced(f"{name}, {how}", spoken)
                else:
                    both(name, spoken)
    for name in PEERS:
        with peer(name, streams, sizes) as spoken:
            both(name, spoken)


def table(title: str, rounds: Rounds) -> Table:
    """Medians, and how many deliveries ours does with the CPU time that the peer takes for one."""
    made = Table(title=f"{title}, median of {ROUNDS} rounds", box=box.SIMPLE_HEAD)
    made.add_column("server", no_wrap=True)
    for name in (
        "orders/s",
        "deliveries/s",
        "bytes",
        "CPU",
        "µs each",
        "ours / it",
        "reads/s",
        "per read",
    ):
        made.add_column(name, justify="right")
    for name, each in rounds.items():
        own = rounds[name if name.startswith(RAW) else REFERENCES.get(name, RAW)]
        cpu_us = _median(each, lambda one: one.cpu_us)
        deliveries_per_s = _median(each, lambda one: one.deliveries_per_s)
        reads_per_s = _median(each, lambda one: one.reads_per_s)
        made.add_row(
            name,
            f"{_median(each, lambda one: one.orders_per_s):,.0f}",
            f"{deliveries_per_s:,.0f}",
            f"{_median(each, lambda one: one.push_bytes):,.0f}",
            f"{_median(each, lambda one: one.cpu_share):.0%}",
            f"{cpu_us:.2f}",
            f"{cpu_us / _median(own, lambda one: one.cpu_us):.2f}",
            f"{reads_per_s:,.0f}",
            f"{deliveries_per_s / reads_per_s:.2f}",
        )
    return made


def _median(each: list[Spread], figure: Callable[[Spread], float]) -> float:
    return median(figure(one) for one in each)


def main() -> None:
    """Build, measure, print."""
    if len(sys.argv) > 2 or not all(word.isdigit() and int(word) for word in sys.argv[1:]):
        sys.exit("bench_streams: one argument at most, the number of readers")
    readers = int(sys.argv[1]) if len(sys.argv) == 2 else READERS
    try:
        build()
    except BuildError as error:
        sys.exit(f"bench_streams: {error}")
    saturated: Rounds = {}
    paced: Rounds = {}
    for _ in range(ROUNDS):
        measure(readers, saturated, paced)
    console = Console(width=130)
    console.print(machine())
    console.print(
        f"{SYMBOLS} symbols, {readers:,} readers of {STREAMS_PER_READER} streams each; "
        f"ours / it is of deliveries a CPU second"
    )
    console.print(table(f"{WINDOW} orders under way at once", saturated))
    console.print(table(f"{1_000_000 // PAUSE_US} orders a second", paced))


if __name__ == "__main__":
    main()
