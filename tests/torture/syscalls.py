"""The kernel kills the process, or refuses a call, at every sync and every write: by strace, on a real
process with the real SQLite. What it had acknowledged on its standard output must be there afterwards.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from jayx_stream.journal import sqlite
from tests.torture import SEED, Report, victims
from tests.torture.failing import BATCHES, WAL_PAGES
from tests.torture.victims import Batch

Ended = subprocess.CompletedProcess[bytes]
STRACE = shutil.which("strace")
SYNCS = "fdatasync,fsync"
WRITES = "pwrite64,write"
WORKERS = 2


@dataclass(frozen=True)
class Injection:
    """What the kernel does at the `at`-th of these calls within the journal's files."""

    calls: str
    what: str
    at: int
    life: int
    """0: a journal is made; 1: it is opened again."""

    def __str__(self) -> str:
        return f"{self.calls} {self.what} {self.at} {self.life}"


def lives(seed: int) -> tuple[list[Batch], list[Batch]]:
    """What is appended from a journal's making to its closing, and when it is opened again."""
    batches = victims.batches(seed, BATCHES)
    return batches[: BATCHES // 2], batches[BATCHES // 2 :]


def live(directory: str, seed: int, life: int) -> None:
    """In a process of its own: open, append, close; each acknowledged batch is told by a dot."""
    sqlite.WAL_PAGES = WAL_PAGES
    asyncio.run(_fill(Path(directory), lives(seed)[life], tell=True))


async def _fill(directory: Path, batches: list[Batch], *, tell: bool) -> None:
    # All in one thread: strace counts the calls of each by itself.
    journal = await sqlite.SqliteJournal.open(directory, quick_ns=0)
    for batch in batches:
        await journal.append(batch)
        if tell:
            os.write(1, b".")
    await journal.close()


def run(directory: Path, seed: int, life: int, calls: str, what: str) -> Ended:
    """A life under strace; the one before it undisturbed. Only calls on the journal's files count."""
    assert STRACE is not None
    if life == 1:
        asyncio.run(_fill(directory, lives(seed)[0], tell=False))
    paths = [f"--trace-path={directory / name}" for name in _NAMES]
    program = f"from tests.torture.syscalls import live; live({str(directory)!r}, {seed}, {life})"
    injection = [f"--inject={calls}:{what}"] if what else []
    options = ["-f", "-qq", "-o", str(directory / "trace"), f"--trace={calls}", *paths, *injection]
    arguments = [STRACE, *options, sys.executable, "-c", program]
    return subprocess.run(arguments, check=False, capture_output=True, timeout=60)


_NAMES = (sqlite.FILE_NAME, sqlite.WAL_NAME, "journal.mark", f"{sqlite.FILE_NAME}-journal", "")


@cache
def count(seed: int, life: int, calls: str) -> int:
    """How many of these calls a whole life makes."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        ended = run(Path(name), seed, life, calls, "")
        assert (ended.returncode, len(ended.stdout)) == (0, BATCHES // 2), ended
        trace = (Path(name) / "trace").read_text()
    return len(re.findall(rf"\b(?:{calls.replace(',', '|')})\(", trace))


def outcome(seed: int, injection: Injection) -> tuple[str, int]:
    """What became of one case, and how many commits had been acknowledged."""
    batches = victims.batches(seed, BATCHES)
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        directory = Path(name)
        what = f"{injection.what}:when={injection.at}"
        ended = run(directory, seed, injection.life, injection.calls, what)
        acknowledged = len(ended.stdout) + injection.life * BATCHES // 2
        met = ended.returncode < 0 or "(INJECTED)" in (directory / "trace").read_text()
        try:
            found = asyncio.run(victims.recovered(directory))
        except Exception as error:
            return f"CRASHED: {error!r}", 0
    if not met:
        return "NOT MET", 0
    if ended.returncode == 0 and len(ended.stdout) < BATCHES // 2:
        return "SILENT", 0
    if ended.returncode > 0 and b"JournalError" not in ended.stderr:
        return f"BADLY TOLD: {ended.stderr.decode()}", 0
    known = victims.joined(batches[:acknowledged])
    attempted = victims.joined(batches[: acknowledged + 1])
    if found[: len(known)] != known:
        return f"LOST: {len(found)} of {len(known)} commits are there", 0
    if found not in (known, attempted):
        return "INVENTED", 0
    end = {0: "went on", 1: "stopped"}.get(ended.returncode, "killed")
    return (end if found == known else f"{end}, the batch in between is there"), len(known)


def campaign(calls: str, what: str, *, full: bool, seed: int = SEED, sample: int = 5) -> Report:
    """One injection at every call, or at a sample of them."""
    report = Report(f"{what} at every {calls.replace(',', ' or ')}")
    began_s = perf_counter()
    totals = [count(seed, life, calls) for life in (0, 1)]
    step = 1 if full else max(1, sum(totals) // sample)
    every = [Injection(calls, what, at + 1, life) for life in (0, 1) for at in range(totals[life])]
    tried = every[::step]
    with ThreadPoolExecutor(WORKERS) as pool:
        runs = pool.map(lambda injection: outcome(seed, injection), tried)
        for injection, (found, acknowledged) in zip(tried, runs, strict=True):
            report.outcomes[found.partition(":")[0]] += 1
            report.acknowledged += acknowledged
            if found[:4].isupper():
                again = f"python -m tests.torture syscall {seed} {injection}"
                report.failures.append(f"{found}; again: {again}")
    report.seconds = perf_counter() - began_s
    return report


KINDS = (
    (SYNCS, "signal=SIGKILL"),
    (SYNCS, "error=EIO"),
    (WRITES, "signal=SIGKILL"),
    (WRITES, "error=EIO"),
    (WRITES, "error=ENOSPC"),
)
