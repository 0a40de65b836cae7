"""How many commands a second the engine does, with ledger and events, on one core, and what each part takes.

100,000 commands of `crowd`, as plain Python and compiled (`compile_rooms.py`), if there is a C compiler.
Each round is a process of its own, in turn; CPU time, in medians. The collector is set as a served
venue sets it.
"""

import gc
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from types import FrameType

from benchmarks.building import ROOT, package_builds
from benchmarks.crowd import commit, crowd, ready
from benchmarks.engines.driving import drive
from benchmarks.engines.flow import operations
from benchmarks.engines.ours import BareBook
from jayx_stream.app.serve import GC_THRESHOLDS
from jayx_stream.engine import is_compiled
from jayx_stream.model.commands import Command
from jayx_stream.model.events import Commit, encode_commits

COMMANDS = 100_000
ROUNDS = 5
BATCH_COMMITS = 100
SAMPLE_S = 0.001
"""As often as the kernel ticks, if that is less."""
SAMPLED_ROUNDS = 20


# The steps: each gets ready, then gives the CPU seconds that it took for all commands.


def bare_book(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """Matching only: what is above it is the price of checks, money, events and client ids."""
    bare, resting = BareBook(), operations(before)
    timed = operations(commands, len(resting))
    drive(bare, resting)
    begin = process_time()
    drive(bare, timed)
    return process_time() - begin


def decide_and_apply(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """The engine: checks, money and events."""
    exchange, _ = ready(before)
    begin = process_time()
    for command in commands:
        commit(exchange, command)
    return process_time() - begin


def apply(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """A replay: what the commits did, without the decisions."""
    commits = committed(before, commands)
    exchange, _ = ready(before)
    begin = process_time()
    for each in commits:
        exchange.apply(each)
    return process_time() - begin


def encode(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """The journal's bytes."""
    commits = committed(before, commands)
    begin = process_time()
    for first in range(0, len(commits), BATCH_COMMITS):
        encode_commits(commits[first : first + BATCH_COMMITS])
    return process_time() - begin


def project(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """All views."""
    commits = committed(before, commands)
    _, projections = ready(before)
    begin = process_time()
    for each in commits:
        projections.apply(each)
    return process_time() - begin


STEPS = {
    "bare book (the limit)": bare_book,
    "decide + apply": decide_and_apply,
    "  of it apply": apply,
    "encode_commits": encode,
    "Projections.apply": project,
}


def committed(before: Sequence[Command], commands: Sequence[Command]) -> list[Commit]:
    """What comes of the commands."""
    exchange, _ = ready(before)
    done = [commit(exchange, command) for command in commands]
    return [each for each in done if each is not None]


def one_round(*steps: str) -> dict[str, float]:
    """Microseconds per command of each step, in this process."""
    before, commands = crowd(COMMANDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    took: dict[str, float] = {}
    for name in steps or STEPS:
        gc.collect()
        took[name] = STEPS[name](before, commands) / COMMANDS * 1e6
    return took


# Which part of decide and apply the processor was in, when it was looked at now and then.

PARTS = {
    "decide: who, which market, limits": ("exchange.decide", "exchange._decide_place"),
    "decide: form, balance, events": ("placing", "instrument", "units", "listings", "market"),
    "decide: matching": ("matching",),
    "decide: cancels": ("changing", "orders.find", "orders.find_open"),
    "apply: events, one by one": ("exchange",),
    "apply: orders": ("order", "orders", "events"),
    "apply: ledger": ("ledger",),
    "apply: book": ("book",),
    "apply: invariants of trades and the book": (
        "invariants",
        "book.check_level",
        "book.check_not_crossed",
    ),
    "the benchmark's own loop": ("crowd", "bench_engine"),
}


def part_of(frame: FrameType) -> str:
    """Which part a frame belongs to: its function's, or else its module's."""
    module, function = Path(frame.f_code.co_filename).stem, frame.f_code.co_name
    for name in (f"{module}.{function}", module):
        for part, names in PARTS.items():
            if name in names:
                return part
    return "other"


def shares() -> dict[str, float]:
    """Of decide + apply as plain Python: the share of each part."""
    before, commands = crowd(COMMANDS)
    seen: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            seen[part_of(frame)] += 1

    gc.set_threshold(*GC_THRESHOLDS)
    signal.signal(signal.SIGPROF, look)
    for _ in range(SAMPLED_ROUNDS):
        exchange = ready(before)[0]
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        for command in commands:
            commit(exchange, command)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {part: seen[part] / seen.total() for part in (*PARTS, "other")}


# Plain and compiled, each in processes of its own.


def in_process(source: Path, *arguments: str) -> dict[str, float]:
    """What this file tells in a process that takes the package from `source`."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_engine", *arguments],
        env={**os.environ, "PYTHONPATH": str(source)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(run.stdout)
    assert isinstance(told, dict)
    return told


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        builds = package_builds(Path(folder))
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in builds}
        for _ in range(ROUNDS):
            for name, source in builds.items():
                rounds[name].append(in_process(source, "round"))
        parts = in_process(builds["plain"], "shares")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {platform.platform()}, {platform.machine()}")
    print(f"{COMMANDS:,} commands, median of {ROUNDS} rounds, CPU time\n")
    print(f"{'':24}" + "".join(f"{name + ': commands/s':>24}{'µs':>8}" for name in builds))
    for step in STEPS:
        took = [median(each[step] for each in rounds[name]) for name in builds]
        ratio = f"{took[0] / took[1]:>8.2f} x" if len(took) == 2 else ""
        print(f"{step:24}" + "".join(f"{1e6 / us:>24,.0f}{us:>8.2f}" for us in took) + ratio)
    print("\nshares of plain decide + apply, by samples")
    for part, share in parts.items():
        print(f"{part:42}{share:>6.1%}")


TOLD: dict[str, Callable[[], dict[str, float]]] = {"round": one_round, "shares": shares}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        assert is_compiled() == (Path(sys.path[1]).name == "compiled")
        print(json.dumps(TOLD[sys.argv[1]]()))
    else:
        main()
