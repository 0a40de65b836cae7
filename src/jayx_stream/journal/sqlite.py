"""The journal in an SQLite file: one connection, in a thread of its own.

WAL with synchronous=FULL: a commit is on the disk before `append` returns. The file is locked for
this process alone, so a second writer can't slip in. apsw brings its own, current SQLite.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import apsw

from jayx_stream.journal import JournalError
from jayx_stream.journal.records import FORMAT, Record, origin
from jayx_stream.model.events import Commit

FILE_NAME = "journal.sqlite"
READ_RECORDS = 256
"""Records fetched from the file at once."""

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    batch     BLOB NOT NULL,
    hash      BLOB NOT NULL
);
"""

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class SqliteJournal:
    """Opened by `open`; see `Journal` for what it promises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._epoch = ""
        self._last_seq = 0
        self._last_hash = b""
        self._broken = False

    @classmethod
    async def open(cls, directory: Path) -> "SqliteJournal":
        """Open the journal in a directory, or make one. Raises JournalError if it can't be had."""
        journal = cls(directory / FILE_NAME)
        try:
            await journal._in_thread(journal._connect)
        except BaseException:
            journal._thread.shutdown()
            raise
        return journal

    @property
    def epoch(self) -> str:
        """See `Journal`."""
        return self._epoch

    @property
    def last_seq(self) -> int:
        """See `Journal`."""
        return self._last_seq

    async def append(self, commits: Sequence[Commit]) -> None:
        """See `Journal`. After a failure every further append fails: what the file holds is then
        not known before it is opened again.
        """
        await self._in_thread(self._append, commits)

    async def read(self, after_seq: int) -> AsyncIterator[tuple[Commit, ...]]:
        """See `Journal`. The whole chain is checked from the first record wanted."""
        previous_seq, previous_hash = await self._in_thread(self._record_before, after_seq)
        while records := await self._in_thread(self._records_after, previous_seq):
            for record in records:
                commits = record.commits(previous_hash, previous_seq)
                previous_seq, previous_hash = record.last_seq, record.hash
                wanted = tuple(commit for commit in commits if commit.seq > after_seq)
                if wanted:
                    yield wanted

    async def close(self) -> None:
        """See `Journal`. Folds the write-ahead log into the file."""
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        except apsw.Error as error:
            raise JournalError(f"{self._path}: {error}") from error

    # Below runs in the thread.

    def _connect(self) -> None:
        self._connection = apsw.Connection(str(self._path))
        try:
            self._connection.pragma("locking_mode", "exclusive")
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", "full")
            if self._connection.pragma("synchronous") != 2:
                raise JournalError(f"{self._path}: synchronous=FULL was not taken")
            self._open_log()
        except apsw.BusyError as error:
            self._connection.close()
            raise JournalError(f"{self._path} is in use by another process") from error
        except BaseException:
            self._connection.close()
            raise

    def _open_log(self) -> None:
        execute = self._connection.execute
        with self._connection:
            if not execute("SELECT 1 FROM sqlite_master").fetchall():
                execute(_SCHEMA)
                execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
                execute("INSERT INTO meta VALUES ('epoch', ?)", (secrets.token_hex(8),))
        meta = {str(row[0]): str(row[1]) for row in execute("SELECT name, value FROM meta")}
        if meta.get("format") != str(FORMAT):
            found = meta.get("format", "none")
            raise JournalError(f"{self._path} has format {found}; this program reads {FORMAT}")
        self._epoch = meta["epoch"]
        last = execute("SELECT last_seq, hash FROM records ORDER BY first_seq DESC LIMIT 1")
        self._last_seq, self._last_hash = last.fetchone() or (0, origin(self._epoch))

    def _append(self, commits: Sequence[Commit]) -> None:
        if self._broken:
            raise JournalError(f"{self._path}: an earlier append failed")
        record = Record.make(commits, self._last_hash, self._last_seq)
        try:
            self._connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?)",
                (record.first_seq, record.last_seq, record.batch, record.hash),
            )
        except BaseException:
            self._broken = True
            raise
        self._last_seq, self._last_hash = record.last_seq, record.hash

    def _record_before(self, after_seq: int) -> tuple[int, bytes]:
        """Last seq and hash of the newest record that ends at or before `after_seq`."""
        found = self._connection.execute(
            "SELECT last_seq, hash FROM records WHERE last_seq <= ? ORDER BY first_seq DESC LIMIT 1",
            (after_seq,),
        ).fetchone()
        return found or (0, origin(self._epoch))

    def _records_after(self, last_seq: int) -> list[Record]:
        rows = self._connection.execute(
            "SELECT first_seq, last_seq, batch, hash FROM records WHERE first_seq > ?"
            " ORDER BY first_seq LIMIT ?",
            (last_seq, READ_RECORDS),
        )
        return [Record(*row) for row in rows]
