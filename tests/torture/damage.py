"""A journal cut off at every byte, and with a bit flipped at every byte.

Each case ends in one of these ways, and the last three must not happen:
whole: all that was acknowledged is there, and the journal goes on from there;
refused: JournalError when it is opened, read, or written on (then, all is there or it is refused);
LOST: something acknowledged is missing or changed, without a word;
SPOILT: it was taken as whole, but what was written on it made it unreadable;
CRASHED: another exception than JournalError.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

from jayx_stream.journal import JournalError, mark
from jayx_stream.journal.sqlite import FILE_NAME, WAL_NAME, SqliteJournal
from tests.torture import SEED, Report, victims
from tests.torture.victims import Batch

WORKERS = 2
FATAL = ("LOST", "SPOILT", "CRASHED")
VICTIMS = {
    "killed": victims.killed,
    "killed in an append": victims.killed_in_append,
    "closed": victims.closed,
}
NEAR = 12
"""Bytes on both sides of a border of pages or frames that are always tried."""
SAMPLE_STEP = 97


@dataclass(frozen=True)
class Case:
    """One damage: `bit` is flipped in the byte, or the file is cut off before the byte."""

    file: str
    byte: int
    bit: int | None

    def damage(self, directory: Path) -> None:
        path = directory / self.file
        content = bytearray(path.read_bytes())
        if self.bit is None:
            del content[self.byte :]
        else:
            content[self.byte] ^= 1 << self.bit
        path.write_bytes(content)

    def __str__(self) -> str:
        return f"{self.file} {self.byte} {'cut' if self.bit is None else self.bit}"


def ram() -> Path | None:
    """Where files are fastest."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() else None


def cases(directory: Path, file: str, *, flip: bool, full: bool) -> list[Case]:
    """Every byte of a file, or those near borders and a sample of the others."""
    size = (directory / file).stat().st_size
    start, step = (32, 4120) if file == WAL_NAME else (0, 4096)
    if file == mark.FILE_NAME:
        step = mark.SLOT_BYTES
    tried = {*range(0, size, 1 if full else SAMPLE_STEP)}
    for border in range(start, size + step, step):
        tried.update(range(max(0, border - NEAR), min(size, border + NEAR)))
    return [_case(file, byte, flip=flip) for byte in sorted(tried)]


def _case(file: str, byte: int, *, flip: bool) -> Case:
    return Case(file, byte, Random(f"{SEED} {file} {byte}").randrange(8) if flip else None)


async def outcome(directory: Path, acknowledged: Batch, further: list[Batch]) -> str:
    """What becomes of a damaged journal: it is opened, read, written on, and opened and read again.
    Of `further`, the first batch may be there already.
    """
    try:
        journal = await SqliteJournal.open(directory)
    except JournalError:
        return "refused at open"
    try:
        try:
            written = await victims.read(journal)
        except JournalError:
            return "refused in reading"
        cut = written == acknowledged
        if not cut and written != acknowledged + further[0]:
            return "LOST"
        stopped = True
        with contextlib.suppress(JournalError):
            batch = further[0] if cut else further[1]
            await journal.append(batch)
            written += batch
            stopped = False
    finally:
        await journal.close()
    try:
        if (await victims.recovered(directory))[: len(written)] != written:
            return "LOST"
    except JournalError:
        return "refused after a failed append" if stopped else "SPOILT"
    return "whole after a failed append" if stopped else "whole"


def try_cases(victim: Path, seed: int, count: int, tried: Sequence[Case]) -> list[str]:
    """The outcome of each case, of a victim that holds the first `count` batches."""
    batches = victims.batches(seed, count + 2)
    acknowledged, further = victims.joined(batches[:count]), batches[count:]

    async def run() -> list[str]:
        found = []
        with tempfile.TemporaryDirectory(dir=ram(), prefix="torture-") as name:
            directory = Path(name) / "journal"
            for case in tried:
                shutil.copytree(victim, directory)
                case.damage(directory)
                try:
                    found.append(await outcome(directory, acknowledged, further))
                except Exception as error:
                    found.append(f"CRASHED: {error!r}")
                shutil.rmtree(directory)
        return found

    return asyncio.run(run())


def campaign(victim_name: str, file: str, *, flip: bool, full: bool, seed: int = SEED) -> Report:
    """All cases of one file of one victim."""
    kind = "bit flips" if flip else "truncations"
    report = Report(f"{kind} of {file}, {victim_name}")
    began_s = perf_counter()
    with _kept_on_failure(report) as victim:
        known = VICTIMS[victim_name](victim, seed)
        count, commits = len(known), len(victims.joined(known))
        tried = cases(victim, file, flip=flip, full=full)
        for case, found in _outcomes(victim, seed, count, tried):
            report.outcomes[found.partition(":")[0]] += 1
            report.acknowledged += commits
            if found.startswith(FATAL):
                again = f"python -m tests.torture damage {victim} {seed} {count} {case}"
                report.failures.append(f"{found}; again: {again}")
    report.seconds = perf_counter() - began_s
    return report


def _outcomes(victim: Path, seed: int, count: int, tried: list[Case]) -> Iterator[tuple[Case, str]]:
    if len(tried) < 500:
        yield from zip(tried, try_cases(victim, seed, count, tried), strict=True)
        return
    chunks = [tried[start : start + 250] for start in range(0, len(tried), 250)]
    with ProcessPoolExecutor(WORKERS) as pool:
        runs = [pool.submit(try_cases, victim, seed, count, chunk) for chunk in chunks]
        for chunk, run in zip(chunks, runs, strict=True):
            yield from zip(chunk, run.result(), strict=True)


@contextlib.contextmanager
def _kept_on_failure(report: Report) -> Iterator[Path]:
    victim = Path(tempfile.mkdtemp(dir=ram(), prefix="torture-victim-"))
    yield victim
    if not report.failures:
        shutil.rmtree(victim)


FILES = {
    "killed": (FILE_NAME, WAL_NAME, mark.FILE_NAME),
    "killed in an append": (WAL_NAME,),
    "closed": (FILE_NAME, mark.FILE_NAME),
}


def again(victim: Path, seed: int, count: int, file: str, byte: int, how: str) -> str:
    """The outcome of one case."""
    (found,) = try_cases(
        victim, seed, count, [Case(file, byte, None if how == "cut" else int(how))]
    )
    return found
