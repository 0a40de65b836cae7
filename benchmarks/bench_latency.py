"""How soon is one push at its one reader, and at the last of a thousand, where nothing else is to be done?

Ours is hub and doors in one process, without order and journal (`fanout/peers/inprocess.py`): a stream is
said to have changed, and what follows is real: encoding, envelope, the turn. The peers send each reader a
text of that size, which needs only its stamp. Times run from that stamp, which the server takes when it has
read the conductor's word, until the load has read the push. One push at a time, with a pause behind it.
Servers on one core, the load (C, one thread) on the other; interleaved rounds, medians. "Awake": ours with
`busy_poll_ms`, and picows on a loop that never sleeps.

    python -m benchmarks.bench_latency [READERS ...]
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.building import package_builds
from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.loading import Load, load
from benchmarks.fanout.servers import Served, ours_in_process, peer
from benchmarks.running import machine

ROUNDS = 5
SECONDS = 1.5
READERS = (1, 1_000)
PAUSE_US = 1_000
"""Behind a push; and as much again for each hundred readers."""
AWAKE_MS = 1_000
OURS = "jayx-stream, in process"
PEER_NAMES = ("C send loop", "picows", "websockets.broadcast", "Node ws", "uWebSockets")

Serve = Callable[[], AbstractContextManager[Served]]


def variants(builds: dict[str, Path]) -> dict[str, Serve]:
    """Ours, and all peers with a text of our size."""
    with ours_in_process() as served:
        size = round(load(served, 1, 0.5, window=1, pause_us=1_000).push_bytes)
    found: dict[str, Serve] = {OURS: partial(ours_in_process, builds["plain"])}
    if "compiled" in builds:
        found[f"{OURS}, compiled"] = partial(ours_in_process, builds["compiled"])
    found[f"{OURS}, awake"] = partial(ours_in_process, builds["plain"], AWAKE_MS)
    for name in PEER_NAMES:
        found[name] = partial(peer, name, size)
    found["picows, awake"] = partial(peer, "picows", size, "awake")
    return found


def measured(serves: dict[str, Serve], readers: int) -> dict[str, list[Load]]:
    """By variant, of each round."""
    found: dict[str, list[Load]] = {}
    names = list(serves)
    for turn in range(ROUNDS):
        # Who comes first finds the processor cold: that is another one in each round.
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            with serves[name]() as served:
                one = load(
                    served,
                    readers,
                    SECONDS,
                    window=1,
                    pause_us=PAUSE_US * (1 + readers // 100),
                    stamped=True,
                )
            found.setdefault(name, []).append(one)
    return {name: found[name] for name in names}


def table(readers: int, found: dict[str, list[Load]]) -> Table:
    """Medians, and ours to them."""
    size = found[OURS][0].push_bytes
    title = f"{readers:,} readers, {size:.0f} bytes, µs, median of {ROUNDS} rounds"
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("server")
    columns = ("first p50", "last p50", "ours / it", "last p99", "ours / it", "pushes")
    for column in columns:
        made.add_column(column, justify="right")
    own = found[OURS]
    for name, loads in found.items():

        def cells(figure: Callable[[Load], float], loads: list[Load] = loads) -> tuple[str, str]:
            it = median(map(figure, loads))
            return f"{it:,.0f}", f"{median(map(figure, own)) / it:.2f}"

        made.add_row(
            name,
            f"{median(each.first_p50_us for each in loads):,.0f}",
            *cells(lambda each: each.last_p50_us),
            *cells(lambda each: each.last_p99_us),
            f"{sum(each.rounds for each in loads):,}",
        )
    return made


def main() -> None:
    """Build, measure, print."""
    unknown = [word for word in sys.argv[1:] if not word.isdigit() or not int(word)]
    if unknown:
        sys.exit(f"bench_latency: {unknown[0]!r} is no number of readers")
    try:
        build()
    except BuildError as error:
        sys.exit(f"bench_latency: {error}")
    console = Console(width=120)
    console.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        serves = variants(package_builds(Path(folder)))
        for readers in [int(word) for word in sys.argv[1:]] or READERS:
            console.print(table(readers, measured(serves, readers)))


if __name__ == "__main__":
    main()
