"""How many operations a second does our engine do beside the engines that PyPI has?

One flow for all, as a file of plain numbers: 2,000 resting orders, then 200,000 operations, of which 50 % are
limits that rest, 40 % cancels, 10 % limits that take. Each engine in a process and an environment of its
own, in turn; CPU time, medians. What an engine says that it filled must be what ours filled. Ours is the
book alone, which is what the peers are, and the whole exchange, with ledger, events and asserted
invariants, which no peer has; as plain Python and compiled.

    python -m benchmarks.bench_engine_peers [OPERATIONS]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.building import ROOT, BuildError, environment, package_builds
from benchmarks.engines.flow import write_flow
from benchmarks.running import machine

OPERATIONS = 200_000
ROUNDS = 3
DEADLINE_S = 300
HERE = Path(__file__).parent / "engines"
REFERENCE = "ours: book, plain"


@dataclass(frozen=True)
class Peer:
    """An engine of PyPI."""

    package: str
    script: str
    made_of: str
    without: str
    """What it does not do or tell."""
    newer_python: bool = False
    """It asks for Python 3.12."""


PEERS = (
    Peer("liquibook==2.0.1", "liquibook_engine", "C++, SWIG", ""),
    Peer("limit-order-book==2.0.0", "kautenja_book", "C++, ctypes", "tells no fills"),
    Peer("litebook==0.0.1", "lite_book", "Rust", "prices in floats"),
    Peer("matching-engine==0.1.1", "matching_engine_", "Python", "", newer_python=True),
    Peer("lightmatchingengine==2019.1.4", "light_engine", "Python", ""),
    Peer("cython-orderbook==0.1.2", "cython_book", "Cython", ""),
    Peer("fastlob==0.0.24", "fast_lob", "Python, Decimal", "tells no makers"),
)


@dataclass(frozen=True)
class Driven:
    """One round of one engine."""

    per_s: float
    fills: int | None
    lots: int | None
    open_lots: int | None


@dataclass(frozen=True)
class Variant:
    """How to run an engine."""

    made_of: str
    without: str
    words: tuple[str, ...]
    path: Path


def python_for(peer: Peer) -> str:
    """An interpreter that the peer takes. Raises BuildError."""
    if not peer.newer_python:
        return sys.executable
    for name in ("python3.12", "python3.13", "python3.14"):
        found = shutil.which(name)
        # A version manager's stand-in is found, but does not run where that version is not chosen.
        if found and not subprocess.run([found, "-V"], capture_output=True, check=False).returncode:
            return found
    raise BuildError("needs Python 3.12 or later, and none runs here")


def variants(flow: Path, builds: dict[str, Path], console: Console) -> dict[str, Variant]:
    """Ours and all peers that can be installed; says which can not."""
    found = {
        f"ours: {what}, {build}": Variant(
            "Python" if build == "plain" else "mypyc",
            "",
            (sys.executable, "-m", "benchmarks.engines.ours", str(flow), what, build),
            source,
        )
        for what in ("book", "exchange")
        for build, source in builds.items()
    }
    for peer in PEERS:
        name = peer.package.replace("==", " ")
        folder = f"engine-{peer.script.replace('_', '-').strip('-')}"
        try:
            python = environment(folder, peer.package, python=python_for(peer))
        except BuildError as error:
            console.print(f"{name}: left out: {error}", markup=False)
            continue
        words = (str(python), str(HERE / "peers" / f"{peer.script}.py"), str(flow))
        found[name] = Variant(peer.made_of, peer.without, words, HERE)
    return found


def driven(variant: Variant) -> Driven:
    """One round. Raises CalledProcessError or TimeoutExpired."""
    ended = subprocess.run(
        variant.words,
        env={**os.environ, "PYTHONPATH": str(variant.path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=DEADLINE_S,
        check=True,
    )
    told = json.loads(ended.stdout)
    per_s = told["operations"] / told["cpu_s"]
    return Driven(per_s, told["fills"], told["lots"], told["open_lots"])


def table(found: dict[str, Variant], rounds: dict[str, list[Driven]], count: int) -> Table:
    """Medians, ratios to our plain book, and whether what was filled is what ours filled."""
    made = Table(
        title=f"{count:,} operations, CPU time, median of {ROUNDS} rounds", box=box.SIMPLE_HEAD
    )
    made.add_column("engine", no_wrap=True)
    made.add_column("made of", no_wrap=True)
    for name in ("operations/s", "it / ours", "fills", "lots"):
        made.add_column(name, justify="right")
    made.add_column("fills as ours?")
    reference = rounds[REFERENCE]
    ours_per_s = median(each.per_s for each in reference)
    for name, each in rounds.items():
        per_s, last = median(one.per_s for one in each), each[-1]
        figures = ["-" if figure is None else f"{figure:,}" for figure in (last.fills, last.lots)]
        made.add_row(
            name,
            found[name].made_of,
            f"{per_s:,.0f}",
            f"{per_s / ours_per_s:.2f}",
            *figures,
            agreement(last, reference[-1], found[name].without),
        )
    return made


def agreement(its: Driven, ours: Driven, without: str) -> str:
    """Whether all that it tells is what ours tells, and what it can't tell."""
    pairs = ((its.fills, ours.fills), (its.lots, ours.lots), (its.open_lots, ours.open_lots))
    differs = any(told is not None and told != wanted for told, wanted in pairs)
    verdict = "NO" if differs else "yes" if its.lots is not None else "by what is left"
    return f"{verdict}; {without}" if without else verdict


def main() -> None:
    """Build, drive in turn, print."""
    if len(sys.argv) > 2 or not all(word.isdigit() and int(word) for word in sys.argv[1:]):
        sys.exit("bench_engine_peers: one argument at most, the number of operations")
    count = int(sys.argv[1]) if len(sys.argv) == 2 else OPERATIONS
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        flow = Path(folder) / "flow"
        write_flow(flow, count)
        found = variants(flow, package_builds(Path(folder)), console)
        rounds: dict[str, list[Driven]] = {name: [] for name in found}
        for _ in range(ROUNDS):
            for name, variant in found.items():
                rounds[name].append(driven(variant))
    console.print(machine())
    console.print(table(found, rounds, count))


if __name__ == "__main__":
    main()
