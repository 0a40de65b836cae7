"""The disk fails at every write, sync, truncation and deletion of a journal's life; then it is well again.

Nothing acknowledged may be lost then, nothing may be there that was never written, and after the failure
nothing more may be taken.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import apsw

from jayx_stream.journal import JournalError, sqlite
from jayx_stream.journal.sqlite import SqliteJournal
from tests.journal.commits import FOREVER_NS
from tests.torture import SEED, Report, victims
from tests.torture.damage import ram
from tests.torture.victims import Batch

WAL_PAGES = 6
"""So that a short life has many checkpoints."""
BATCHES = 16
VFS_NAME = "torture"
QUICK_NS = (0, FOREVER_NS)
"""Half of the faults are met in the thread of the journal, half on the event loop."""


@dataclass
class Fault:
    """What fails: the `at`-th call of a kind; from there on all calls of all kinds if `lasting`."""

    kind: str = ""
    at: int = 0
    error: type[apsw.Error] = apsw.IOError
    lasting: bool = False
    torn: bool = False
    """Half of what was to be written has been."""
    calls: int = 0
    failed: bool = False

    def meet(self, kind: str) -> None:
        """Raise if this call is to fail."""
        self.calls += kind == self.kind
        if (self.failed and self.lasting) or (kind == self.kind and self.calls == self.at):
            self.failed = True
            raise self.error(f"injected at {kind} {self.calls}")

    def __str__(self) -> str:
        how = [self.error.__name__, *(["lasting"] if self.lasting else [])]
        return " ".join([self.kind, str(self.at), *how, *(["torn"] if self.torn else [])])


class FailingFile(apsw.VFSFile):
    def __init__(self, vfs: "FailingDisk", name: str | apsw.URIFilename | None, flags: list[int]):
        self._vfs = vfs
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        try:
            self._vfs.fault.meet("write")
        except apsw.Error:
            if self._vfs.fault.torn:
                super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.fault.meet("sync")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        self._vfs.fault.meet("truncate")
        super().xTruncate(newsize)


class FailingDisk(apsw.VFS):
    """SQLite's way to the real disk, with a fault in it."""

    def __init__(self) -> None:
        self.fault = Fault()
        super().__init__(VFS_NAME, base="")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FailingFile:
        return FailingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.fault.meet("delete")
        super().xDelete(filename, syncdir)


@dataclass
class Life:
    """What a journal took while the disk failed."""

    acknowledged: int = 0
    """Batches."""
    attempted: int = 0
    stopped: bool = False
    """An error was told."""


async def live(directory: Path, batches: list[Batch], quick_ns: int) -> Life:
    """Make a journal, fill half of it, close it, open it, and fill the rest; as far as it goes."""
    life = Life()
    try:
        for half in (batches[: BATCHES // 2], batches[BATCHES // 2 :]):
            journal = await SqliteJournal.open(directory, vfs=VFS_NAME, quick_ns=quick_ns)
            try:
                await _fill(journal, half, life)
            finally:
                await journal.close()
    except JournalError:
        life.stopped = True
    return life


async def _fill(journal: SqliteJournal, half: list[Batch], life: Life) -> None:
    for batch in half:
        life.attempted += 1
        try:
            await journal.append(batch)
        except JournalError:
            try:
                await journal.append(batch)
            except JournalError:
                raise
            raise AssertionError("it took a batch after it had failed") from None
        life.acknowledged += 1


def faults(disk: FailingDisk, batches: list[Batch]) -> Iterator[Fault]:
    """Every call of every kind, failing in every way."""
    for kind in ("write", "sync", "truncate", "delete"):
        disk.fault = Fault(kind, at=-1)
        with tempfile.TemporaryDirectory(dir=ram()) as name:
            life = asyncio.run(live(Path(name), batches, 0))
        assert life == Life(BATCHES, BATCHES), life
        for at in range(1, disk.fault.calls + 1):
            for lasting in (False, True):
                yield Fault(kind, at, lasting=lasting)
                if kind == "write":
                    yield Fault(kind, at, apsw.FullError, lasting=lasting)
                    yield Fault(kind, at, lasting=lasting, torn=True)


def outcome(disk: FailingDisk, fault: Fault, batches: list[Batch]) -> tuple[str, int]:
    """What became of one case, and how many commits had been acknowledged."""
    with tempfile.TemporaryDirectory(dir=ram(), prefix="torture-") as name:
        directory = Path(name)
        disk.fault = fault
        try:
            life = asyncio.run(live(directory, batches, QUICK_NS[fault.at % 2]))
            found = asyncio.run(victims.recovered(directory))
        except Exception as error:
            return f"CRASHED: {error!r}", 0
    acknowledged = victims.joined(batches[: life.acknowledged])
    attempted = victims.joined(batches[: life.attempted])
    if not fault.failed:
        return "NOT MET", 0
    if found[: len(acknowledged)] != acknowledged:
        return f"LOST: {len(found)} of {len(acknowledged)} commits are there", 0
    if found != attempted[: len(found)] or len(found) not in (len(acknowledged), len(attempted)):
        return "INVENTED", 0
    if not life.stopped and life.acknowledged < BATCHES:
        return "SILENT", 0
    end = "stopped" if life.stopped else "went on"
    if len(found) > len(acknowledged):
        end += ", the batch that failed is there"
    return end, len(acknowledged)


def campaign(*, full: bool, seed: int = SEED) -> Report:
    """All faults, or each eleventh."""
    report = Report("I/O errors at every write, sync, truncation, deletion")
    began_s = perf_counter()
    batches = victims.batches(seed, BATCHES)
    disk = FailingDisk()
    with patch.object(sqlite, "WAL_PAGES", WAL_PAGES):
        for number, fault in enumerate(list(faults(disk, batches))):
            if not full and number % 11 != seed % 11:
                continue
            found, acknowledged = outcome(disk, fault, batches)
            report.outcomes[found.partition(":")[0]] += 1
            report.acknowledged += acknowledged
            if found[:4].isupper():
                again = f"python -m tests.torture failing {seed} {fault}"
                report.failures.append(f"{found}; again: {again}")
    disk.unregister()
    report.seconds = perf_counter() - began_s
    return report


def again(seed: int, kind: str, at: int, error: str, *how: str) -> str:
    """The outcome of one case."""
    fault = Fault(kind, at, getattr(apsw, error), "lasting" in how, "torn" in how)
    with patch.object(sqlite, "WAL_PAGES", WAL_PAGES):
        return outcome(FailingDisk(), fault, victims.batches(seed, BATCHES))[0]
