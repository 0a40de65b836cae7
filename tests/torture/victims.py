"""Journals to be damaged, and what must be in them. A real exchange's commits, in batches of any size."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from random import Random

from jayx_stream.engine import Exchange
from jayx_stream.engine.audit import audit
from jayx_stream.journal.sqlite import FILE_NAME, WAL_NAME, SqliteJournal
from jayx_stream.model.events import Commit
from tests.engine.driving import Driver, crowd, opening

Batch = list[Commit]

FILE_BYTES = 24_000
WAL_BYTES = 24_000
"""Files of a victim are larger."""


def batches(seed: int, count: int) -> list[Batch]:
    """The same every time, and one more batch is one more at the end."""
    random = Random(seed)
    driver = Driver()
    for command in chain(opening(), crowd(random, driver, 12 * count)):
        driver.ask(command)
    cuts = Random(seed)
    found: list[Batch] = []
    start = 0
    while len(found) < count:
        end = start + cuts.randint(1, 6)
        assert end <= len(driver.commits), "the crowd is too small"
        found.append(driver.commits[start:end])
        start = end
    return found


def joined(found: Sequence[Batch]) -> Batch:
    """All commits of some batches."""
    return [commit for batch in found for commit in batch]


async def read(journal: SqliteJournal) -> Batch:
    """All commits. Raises JournalError."""
    return [commit async for batch in journal.read(0) for commit in batch]


async def recovered(directory: Path) -> Batch:
    """All commits, and they make an exchange that is in order. Raises JournalError."""
    journal = await SqliteJournal.open(directory)
    try:
        commits = await read(journal)
    finally:
        await journal.close()
    exchange = Exchange(open_orders_max=0)
    for commit in commits:
        exchange.apply(commit)
    audit(exchange)
    return commits


def closed(directory: Path, seed: int) -> list[Batch]:
    """A journal that was closed in order; gives its batches, all acknowledged."""
    return asyncio.run(_grow(directory, batches(seed, 200), kill=False))


def killed(directory: Path, seed: int, *, in_append: bool = False) -> list[Batch]:
    """A journal whose process was killed: part of it is in the file, part in the write-ahead log.

    `in_append`: before the last batch was acknowledged, which is not given then, but is there.
    """
    call = f"be_killed({str(directory)!r}, {seed}, in_append={in_append})"
    program = f"from tests.torture import victims; victims.{call}"
    ended = subprocess.run([sys.executable, "-c", program], check=False, stdout=subprocess.PIPE)
    assert ended.returncode == -9, ended
    return batches(seed, int(ended.stdout))


def killed_in_append(directory: Path, seed: int) -> list[Batch]:
    """See `killed`."""
    return killed(directory, seed, in_append=True)


def be_killed(directory: str, seed: int, *, in_append: bool) -> None:
    """To run in a process of its own: never returns."""
    asyncio.run(_grow(Path(directory), batches(seed, 200), kill=True, in_append=in_append))


async def _grow(
    directory: Path, all_batches: list[Batch], *, kill: bool, in_append: bool = False
) -> list[Batch]:
    file, wal = directory / FILE_NAME, directory / WAL_NAME
    journal = await SqliteJournal.open(directory)
    reopened = False
    for count, batch in enumerate(all_batches, start=1):
        await journal.append(batch)
        if not reopened and count % 10 == 0:
            await journal.close()
            if not kill and file.stat().st_size > FILE_BYTES:
                return all_batches[:count]
            journal = await SqliteJournal.open(directory)
            reopened = kill and file.stat().st_size > FILE_BYTES
        elif reopened and wal.stat().st_size > WAL_BYTES:
            print(count, flush=True)
            if in_append:
                # The mark is what comes between a batch's sync and its acknowledgement.
                journal._mark.write = _kill_this_process  # type: ignore[assignment]
                await journal.append(all_batches[count])
            _kill_this_process()
    raise AssertionError("there were too few batches")


def _kill_this_process(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
