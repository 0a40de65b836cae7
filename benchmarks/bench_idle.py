"""What does a connection cost that is there and says nothing, and how fast do they come?

Memory is the server's RSS, before and after, by connection: what the kernel holds for a socket is not in it.
Each client connects, makes one subscription (at a peer: says one word, or connects to Socket.IO) and has its
answer; 64 are on their way at a time. The first few hundred come before the first look, so that what is made
once is not counted. Ours is the command as it is, pings on. "A stream more" is what each of nineteen further
subscriptions of a connection costs.

    python -m benchmarks.bench_idle [plain|tls ...]
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.holding import TooFewFiles, allow_files, held
from benchmarks.fanout.servers import PEERS, SECURE_PEERS, Served, ours, peer
from benchmarks.running import machine
from jayx_stream.model.views import INTERVALS_S
from jayx_stream.wire.channels import DEPTHS

CROWD = {"plain": 5_000, "tls": 2_000}
EARLY = 300
ROUNDS = 3
STREAMS = 20
SETTLED_KIB = 256
"""RSS that changes by less within a second has settled."""
SETTLE_WITHIN_S = 15.0

Serve = Callable[[], AbstractContextManager[Served]]


@dataclass(frozen=True)
class Cost:
    """Of one connection."""

    kib: float
    cpu_ms: float
    per_s: float
    """That came, from the first connect to the last answer."""


def settled_kib(served: Served) -> int:
    """RSS once it stays the same."""
    end_s = time.monotonic() + SETTLE_WITHIN_S
    before = served.rss_kib()
    while time.monotonic() < end_s:
        time.sleep(1.0)
        now = served.rss_kib()
        if abs(now - before) < SETTLED_KIB:
            return now
        before = now
    return before


def cost(serve: Serve, count: int, hello: Callable[[Served], tuple[tuple[str, ...], int]]) -> Cost:
    """Of `count` connections that say the hello and have so many texts."""
    with serve() as served:
        lines, texts = hello(served)
        with held(served, EARLY, lines, texts):
            before_kib, cpu_s = settled_kib(served), served.cpu_s()
            with held(served, count, lines, texts) as crowd:
                cpu_s = served.cpu_s() - cpu_s
                kib = settled_kib(served) - before_kib
    return Cost(kib / count, cpu_s / count * 1000, count / crowd.seconds)


def streams(served: Served, count: int) -> tuple[str, ...]:
    """What subscribes to so many: klines of all intervals, then books."""
    messages: list[tuple[str, dict[str, object]]] = [
        ("kline", {"interval": str(interval)}) for interval in INTERVALS_S
    ]
    books = [(precise, depth) for precise in ("1", "10", "100") for depth in DEPTHS]
    messages += [("orderbook", {"precise": precise, "depth": depth}) for precise, depth in books]
    say = [
        (event, {"category": "spot", "symbol": "BTCUSDT", **message})
        for event, message in messages[:count]
    ]
    if served.path != "/":
        return ("40", *(f"42{json.dumps(each)}" for each in say))
    return tuple(json.dumps({"event": event, "message": message}) for event, message in say)


def rows(tls: bool) -> dict[str, tuple[Serve, Callable[[Served], tuple[tuple[str, ...], int]]]]:
    """By name: how it is served, what a client says, and how many texts it has then."""

    def own(socketio: bool) -> Serve:
        return lambda: ours("kline", socketio=socketio, tls=tls, ping_after_s=20)

    found: dict[str, tuple[Serve, Callable[[Served], tuple[tuple[str, ...], int]]]] = {
        "jayx-stream": (own(False), lambda served: (streams(served, 1), 1)),
        f"  {STREAMS} streams": (own(False), lambda served: (streams(served, STREAMS), STREAMS)),
        # Engine.IO's opening and Socket.IO's connect come before.
        "jayx-stream, Socket.IO": (own(True), lambda served: (streams(served, 1), 3)),
    }
    for name in SECURE_PEERS if tls else PEERS:
        if name != "C send loop":
            found[name] = (lambda name=name: peer(name, 200, tls=tls), _hello)  # type: ignore[misc]
    return found


def _hello(served: Served) -> tuple[tuple[str, ...], int]:
    return (("40",), 2) if served.path != "/" else (("hello",), 1)


def table(kind: str) -> Table:
    """Medians of interleaved rounds."""
    count = CROWD[kind]
    found: dict[str, list[Cost]] = {}
    for _ in range(ROUNDS):
        for name, (serve, hello) in rows(kind == "tls").items():
            found.setdefault(name, []).append(cost(serve, count, hello))
    title = f"{count:,} idle connections, {kind}, median of {ROUNDS} rounds"
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("server")
    for column in ("KiB each", "it / ours", "connects/s", "ours / it", "CPU ms each"):
        made.add_column(column, justify="right")
    medians = {
        name: Cost(*(median(getattr(each, field) for each in costs) for field in FIELDS))
        for name, costs in found.items()
    }
    own = medians["jayx-stream"]
    for name, it in medians.items():
        made.add_row(
            name,
            f"{it.kib:.1f}",
            f"{it.kib / own.kib:.2f}",
            f"{it.per_s:,.0f}",
            f"{own.per_s / it.per_s:.2f}",
            f"{it.cpu_ms:.3f}",
        )
    each = (medians[f"  {STREAMS} streams"].kib - own.kib) / (STREAMS - 1)
    made.caption = f"a stream more: {each:.2f} KiB"
    return made


FIELDS = ("kib", "cpu_ms", "per_s")


def main() -> None:
    """Build, measure, print."""
    kinds = sys.argv[1:] or list(CROWD)
    unknown = [kind for kind in kinds if kind not in CROWD]
    if unknown:
        sys.exit(f"bench_idle: no kind {unknown[0]!r}; there are {', '.join(CROWD)}")
    try:
        allow_files(EARLY + max(CROWD[kind] for kind in kinds))
        build()
    except (TooFewFiles, BuildError) as error:
        sys.exit(f"bench_idle: {error}")
    console = Console(width=120)
    console.print(machine())
    for kind in kinds:
        console.print(table(kind))


if __name__ == "__main__":
    main()
