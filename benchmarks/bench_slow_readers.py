"""What do readers who stop, dribble or vanish cost the healthy ones, and the server; and how soon is it rid
of them?

The command as it is, with its default bounds and deadlines, but no limit on rates; a book of 5 KB that
changes with every order. First 1,000 healthy readers beside 150 bad ones, and alone, interleaved; the time is
that from an order to the push at the last healthy reader. Then each kind of bad readers by itself, until all
are closed or a good minute has passed. To vanish is to be behind a network cable that is pulled: that needs
root, without which they are stopped (SIGSTOP).

    python -m benchmarks.bench_slow_readers [ROUNDS]
"""

import contextlib
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table
from websockets.sync.client import connect

from benchmarks.fanout.bad_readers import (
    ALL,
    DRIBBLES,
    STAYS,
    STOPS,
    VANISHES,
    Cable,
    Kind,
    reading,
    seen,
)
from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.loading import Load, load
from benchmarks.fanout.servers import KEY, Served, ours
from benchmarks.running import machine

ROUNDS = 3
HEALTHY, BAD = 1000, 50
SECONDS = 6.0
PAUSE_US = 50_000
"""Between two changes of the book."""
FILL_SECONDS = 0.5
"""As many orders as can be, before, again and again: until all bad ones are behind, and merged."""
FILLS_MAX = 20
MERGED_BYTES = 65_536
"""Less than that waits for a reader whose pushes were merged; a mebibyte did before."""
FATE_WITHIN_S = 75.0
PING_AFTER_S = 20
"""The default."""
LOOK_EVERY_S = 0.25
BOOKS_PER_S, ORDERS_PER_S = 50, 300
"""While one kind is looked at: 5 KB each for who reads the book, half a KB for who reads orders."""
BOOK = {"category": "spot", "symbol": "BTCUSDT", "precise": "1", "depth": 20}
ORDERS = {"category": "spot", "apiKey": KEY}


def changes(operator_port: int) -> dict[str, str]:
    """To the configuration of the other benchmarks: figures are told, and who is in the network namespace can
    come.
    """
    return {
        "port = 0": f"port = {operator_port}",
        "[admin]": '[server]\nhost = "0.0.0.0"\nallow_plain = true\n\n[admin]',
    }


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def asked(event: str, message: dict[str, object]) -> str:
    """A subscription."""
    return json.dumps({"event": event, "message": message})


@dataclass
class Round:
    """One measurement of healthy readers, and what the bad ones cost before that."""

    load: Load = field(init=False)
    behind: int = 0
    """Readers, when the measurement began."""
    queue_bytes: int = 0
    """At most, that waited for all of them."""
    rss_more_kib: int = 0
    """At most, than before they came."""


def measured(cable: Cable, *, with_bad: bool) -> Round:
    """A server of its own; the bad ones come first, and all waits for them that may."""
    operator_port = free_port()
    kinds = (STOPS, DRIBBLES, VANISHES) if with_bad else ()
    with ours("orderbook", ping_after_s=PING_AFTER_S, changes=changes(operator_port)) as served:
        before_kib = served.rss_kib()
        with contextlib.ExitStack() as stack:
            for kind in kinds:
                texts = [asked("orderbook", BOOK)]
                stack.enter_context(reading(served.port, kind, BAD, texts, cable))
            found, bad = Round(), len(kinds) * BAD
            with watching(served, operator_port, found, before_kib):
                for _ in range(FILLS_MAX):
                    load(served, 1, FILL_SECONDS, window=1)
                    told = seen(operator_port)
                    found.behind = told.behind
                    if told.behind == bad and told.queue_bytes <= bad * MERGED_BYTES:
                        break
            found.load = load(served, HEALTHY, SECONDS, window=1, pause_us=PAUSE_US)
            return found


@contextlib.contextmanager
def watching(served: Served, operator_port: int, found: Round, before_kib: int) -> Iterator[None]:
    """Note the most that the server holds while the context lasts."""
    enough = threading.Event()

    def watch() -> None:
        while not enough.wait(LOOK_EVERY_S / 2):
            found.queue_bytes = max(found.queue_bytes, seen(operator_port).queue_bytes)
            found.rss_more_kib = max(found.rss_more_kib, served.rss_kib() - before_kib)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


@dataclass
class Fate:
    """What became of 50 readers of a kind, in seconds since they came; None: that did not happen."""

    kind: str
    behind_s: float | None = None
    merged_s: float | None = None
    closed_s: tuple[float, float] | None = None
    """The first and the last."""
    code: str = "stay, merged"
    held_bytes: int = 0
    """At most, that wait for all of them."""
    rss_more_kib: int = 0
    """At most."""


def fate(
    kind: Kind, name: str, text: str, per_s: int, cable: Cable, enough: threading.Event
) -> Fate:
    """See what becomes of those who read what `text` asks for, with so many orders a second."""
    operator_port = free_port()
    with ours("orderbook", ping_after_s=PING_AFTER_S, changes=changes(operator_port)) as served:
        before_kib = served.rss_kib()
        closes = Counter(seen(operator_port).closes)
        with reading(served.port, kind, BAD, [text], cable), ordering(served, per_s):
            found, began_s = Fate(name), time.monotonic()
            while (now_s := time.monotonic() - began_s) < FATE_WITHIN_S and not enough.is_set():
                told = seen(operator_port)
                found.held_bytes = max(found.held_bytes, told.queue_bytes)
                found.rss_more_kib = max(found.rss_more_kib, served.rss_kib() - before_kib)
                if found.behind_s is None and told.behind == BAD:
                    found.behind_s = now_s
                if found.merged_s is None and told.merged:
                    found.merged_s = now_s
                closed = Counter(told.closes) - closes
                if closed:
                    found.closed_s = (now_s if found.closed_s is None else found.closed_s[0], now_s)
                if closed.total() == BAD:
                    found.code = ", ".join(closed)
                    break
                time.sleep(LOOK_EVERY_S)
        return found


def all_fates(cable: Cable) -> list[Fate]:
    """Of every kind, at the same time: each has little to do."""
    book, orders = asked("orderbook", dict(BOOK)), asked("openorders", dict(ORDERS))
    asking = [(kind, f"{kind.name}: a book", book, BOOKS_PER_S) for kind in ALL]
    asking.append((STAYS, f"{STAYS.name}: open orders", orders, ORDERS_PER_S))
    enough = threading.Event()
    with ThreadPoolExecutor(len(asking)) as threads:
        running = [threads.submit(fate, *each, cable, enough) for each in asking]
        try:
            return [each.result() for each in running]
        finally:
            enough.set()


@contextlib.contextmanager
def ordering(served: Served, per_s: int) -> Iterator[None]:
    """Somebody places so many orders a second while the context lasts."""
    enough = threading.Event()

    def order() -> None:
        with connect(f"ws://127.0.0.1:{served.port}/", proxy=None) as client:
            client.send(served.conductor()[-1])
            began_s, placed = time.monotonic(), 0
            while not enough.wait(0.01):
                while placed < (time.monotonic() - began_s) * per_s:
                    client.send(served.go[0])
                    client.recv()
                    placed += 1

    thread = threading.Thread(target=order)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def delays(rounds: dict[bool, list[Round]], cable: Cable) -> Table:
    """The healthy ones, without and with the bad ones."""
    title = (
        f"{HEALTHY:,} healthy readers, {rounds[False][0].load.push_bytes:,.0f} bytes, "
        f"{1_000_000 // PAUSE_US} pushes a second at most; {BAD} each stop, dribble, vanish {cable.told}; "
        f"median of {len(rounds[False])} rounds"
    )
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("bad readers")
    for name in (
        "first p50 ms",
        "last p50 ms",
        "last p99 ms",
        "p99, with / without",
        "CPU µs each",
        "behind",
        "waited MiB",
        "RSS more, MiB",
    ):
        made.add_column(name, justify="right")
    alone = median([each.load.last_p99_us for each in rounds[False]])
    for with_bad, each in rounds.items():
        p99_us = median([one.load.last_p99_us for one in each])
        made.add_row(
            f"{3 * BAD}" if with_bad else "none",
            f"{median([one.load.first_p50_us for one in each]) / 1000:.2f}",
            f"{median([one.load.last_p50_us for one in each]) / 1000:.2f}",
            f"{p99_us / 1000:.2f}",
            f"{p99_us / alone:.2f}",
            f"{median([one.load.cpu_us for one in each]):.1f}",
            f"{median([one.behind for one in each]):.0f}",
            f"{median([one.queue_bytes for one in each]) / 1048576:.1f}",
            f"{median([one.rss_more_kib for one in each]) / 1024:.1f}",
        )
    return made


def fates(found: Sequence[Fate], cable: Cable) -> Table:
    """Each kind by itself."""
    title = (
        f"what becomes of {BAD} of a kind, seconds since they came; {BOOKS_PER_S} books a second, or "
        f"{ORDERS_PER_S} orders; they vanish {cable.told}"
    )
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("readers who")
    for name in ("all behind", "merged", "closed", "with", "waiting MiB", "RSS more, MiB"):
        made.add_column(name, justify="right")
    for each in found:
        closed = (
            "" if each.closed_s is None else f"{each.closed_s[0]:.1f} to {each.closed_s[1]:.1f}"
        )
        made.add_row(
            each.kind,
            *("" if at_s is None else f"{at_s:.1f}" for at_s in (each.behind_s, each.merged_s)),
            closed,
            each.code,
            f"{each.held_bytes / 1048576:.1f}",
            f"{each.rss_more_kib / 1024:.1f}",
        )
    return made


def main() -> None:
    """Build, measure, print."""
    try:
        rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
        build()
    except ValueError:
        sys.exit("bench_slow_readers: python -m benchmarks.bench_slow_readers [ROUNDS]")
    except BuildError as error:
        sys.exit(f"bench_slow_readers: {error}")
    console = Console(width=140)
    console.print(machine())
    with Cable().laid() as cable:
        found: dict[bool, list[Round]] = {False: [], True: []}
        for _ in range(rounds):
            for with_bad, each in found.items():
                each.append(measured(cable, with_bad=with_bad))
        console.print(delays(found, cable))
        console.print(fates(all_fates(cable), cable))


if __name__ == "__main__":
    main()
