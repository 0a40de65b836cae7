"""The commands `jayx-stream journal ...`: a journal that no server has open, read over and shown."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, TextIO

from cyclopts import App, Parameter
from msgspec import Struct, json

from jayx_stream.engine import Exchange
from jayx_stream.engine.audit import audit
from jayx_stream.journal import JournalError
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.events import Commit, Event
from jayx_stream.model.units import NS_PER_S, Step

AUDIT_COMMITS = 50_000
"""Commits between two looks at everything."""
PROGRESS_S = 1.0
"""Between two lines of progress, if nobody watches; a terminal's line is renewed ten times as often."""

journal_app = App(name="journal", help="Read over a journal that no server has open.")


@journal_app.command
def verify(*, data_dir: Path) -> None:
    """Read everything: hashes, gaps, the mark; fold it, and see whether money and books are right.

    Exit code 1 if anything is wrong; the message says where. Changes nothing.

    Parameters
    ----------
    data_dir
        The folder of the journal.
    """
    _run(_verify(data_dir))


@journal_app.command
def show(
    *,
    data_dir: Path,
    from_seq: Annotated[int, Parameter(name="--from")] = 1,
    to_seq: Annotated[int | None, Parameter(name="--to")] = None,
) -> None:
    """Print commits, each as one line of JSON.

    Parameters
    ----------
    data_dir
        The folder of the journal.
    from_seq
        The first commit.
    to_seq
        The last one; without it, all up to the end.
    """
    _run(_show(data_dir, from_seq, to_seq))


@journal_app.command
def export(*, data_dir: Path, to: Path | None = None) -> None:
    """Write all commits, each as one line of JSON, to a file or the standard output.

    Parameters
    ----------
    data_dir
        The folder of the journal.
    to
        The file; it must not be there yet.
    """
    _run(_export(data_dir, to))


def readable(commit: Commit) -> dict[str, Any]:
    """A commit with its fields' names, fit for JSON."""
    seconds, rest_ns = divmod(commit.time_ns, NS_PER_S)
    time = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"
    events = [_named(event) for event in commit.events]
    return {"seq": commit.seq, "time": time, "time_ns": commit.time_ns, "events": events}


def _named(value: Any) -> Any:
    if isinstance(value, Step):
        return value.text(1)
    if isinstance(value, Struct):
        kind = {"event": type(value).__name__} if isinstance(value, Event) else {}
        return kind | {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    return value.value if isinstance(value, Enum) else value


async def _verify(directory: Path) -> None:
    began_s = perf_counter()
    exchange = Exchange(open_orders_max=0)
    events = 0
    async with _opened(directory) as journal:
        progress = _Progress("verified", journal.last_seq)
        async for commits in journal.read(0):
            for commit in commits:
                events += len(commit.events)
                try:
                    exchange.apply(commit)
                    if commit.seq % AUDIT_COMMITS == 0 or commit.seq == journal.last_seq:
                        audit(exchange)
                except (AssertionError, LookupError) as error:
                    raise JournalError(
                        f"commit {commit.seq} is whole, but can't have happened: {error!r}"
                    ) from error
            progress.tell(commits[-1].seq)
        progress.end()
        seconds = perf_counter() - began_s
        print(
            f"the journal is whole: {journal.last_seq} commits, {events} events, "
            f"epoch {journal.epoch}, last hash {journal.last_hash.hex()}, {seconds:.1f} s"
        )


async def _show(directory: Path, from_seq: int, to_seq: int | None) -> None:
    async with _opened(directory) as journal:
        last_seq = journal.last_seq if to_seq is None else min(to_seq, journal.last_seq)
        if not 1 <= from_seq <= last_seq:
            asked = f"{from_seq} to {to_seq or 'the end'}"
            raise JournalError(f"no commits {asked}: the journal has 1 to {journal.last_seq}")
        async for commits in journal.read(from_seq - 1):
            for commit in commits:
                if commit.seq > last_seq:
                    return
                print(json.encode(readable(commit)).decode())


async def _export(directory: Path, to: Path | None) -> None:
    async with _opened(directory) as journal:
        output = sys.stdout if to is None else to.open("x", encoding="utf-8")
        try:
            await _write(journal, output)
        finally:
            if to is not None:
                output.close()


async def _write(journal: SqliteJournal, output: TextIO) -> None:
    progress = _Progress("exported", journal.last_seq)
    async for commits in journal.read(0):
        output.writelines(f"{json.encode(readable(commit)).decode()}\n" for commit in commits)
        progress.tell(commits[-1].seq)
    output.flush()
    progress.end()


@asynccontextmanager
async def _opened(directory: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(directory, only_read=True)
    try:
        yield journal
    finally:
        await journal.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except BrokenPipeError:
        # Whoever read has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (JournalError, OSError) as error:
        print(f"jayx-stream: {error}", file=sys.stderr)
        sys.exit(1)


class _Progress:
    """A line on the standard error that says how far it is."""

    def __init__(self, done: str, last_seq: int) -> None:
        self._done = done
        self._last_seq = last_seq
        self._watched = sys.stderr.isatty()
        self._next_s = perf_counter() + PROGRESS_S

    def tell(self, seq: int) -> None:
        """Say so, if it is time to."""
        if perf_counter() >= self._next_s:
            self._say(seq)
            self._next_s = perf_counter() + (PROGRESS_S / 10 if self._watched else PROGRESS_S)

    def end(self) -> None:
        """Say that it is done."""
        self._say(self._last_seq)
        if self._watched:
            print(file=sys.stderr)

    def _say(self, seq: int) -> None:
        text = f"{self._done} {seq:,} of {self._last_seq:,} commits"
        print(text, end="\r" if self._watched else "\n", file=sys.stderr, flush=True)
