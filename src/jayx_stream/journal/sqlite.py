"""The journal in an SQLite file: one connection, in a thread of its own, unless the disk is quick.

WAL with synchronous=FULL: a commit is on the disk before `append` returns. The file is locked for
this process alone, so a second writer can't slip in. apsw brings its own, current SQLite. What is
found damaged is left as it is found.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import perf_counter_ns
from typing import Any, TypeVar, TypeVarTuple

import apsw

from jayx_stream.journal import JournalError, wal
from jayx_stream.journal.mark import Mark, MarkFile, read_mark
from jayx_stream.journal.records import FORMAT, Record, origin
from jayx_stream.model.events import Commit

FILE_NAME = "journal.sqlite"
WAL_NAME = f"{FILE_NAME}-wal"
READ_RECORDS = 256
"""Records fetched from the file at once."""
WAL_PAGES = 1000
"""Pages in the write-ahead log after which they are folded into the file."""
QUICK_NS = 200_000
"""For which the event loop may write itself: the way to a thread and back takes as long on a busy core."""
FORGOTTEN_PART = 4
"""A slow write counts for less by this part with each further one: one of 10 ms for the next 14."""
HELP = "see “When the journal is damaged” in docs/operating.md"

_SCHEMA = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "records": """CREATE TABLE records (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    batch     BLOB NOT NULL,
    hash      BLOB NOT NULL
)""",
}

_RECORDS = "SELECT first_seq, last_seq, batch, hash FROM records"

_log = logging.getLogger("jayx_stream.journal")

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class SqliteJournal:
    """Opened by `open`; see `Journal` for what it promises."""

    def __init__(self, path: Path, *, only_read: bool, vfs: str | None, quick_ns: int) -> None:
        self._path = path
        self._only_read = only_read
        self._vfs = vfs
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._in_use = Lock()
        """Held by whoever uses the connection."""
        self._quick_ns = quick_ns
        self._lately_ns = quick_ns + 1
        """What writing a lone commit took lately, at most; at first more than is quick."""
        self._epoch = ""
        self._last_seq = 0
        self._last_hash = b""
        self._wal_pages = 0
        self._broken = False

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        only_read: bool = False,
        vfs: str | None = None,
        quick_ns: int = QUICK_NS,
    ) -> "SqliteJournal":
        """Open the journal in a directory, or make one. It has all that was ever acknowledged, as far
        as that shows without reading it. Raises JournalError if it can't be had, or hasn't.

        `only_read`: make none, change nothing, take nothing. `vfs`: what SQLite reaches the disk by.
        `quick_ns`: while a lone commit takes no longer to write, `append` blocks the event loop for it;
        0 for never.
        """
        path = directory / FILE_NAME
        journal = cls(path, only_read=only_read, vfs=vfs, quick_ns=quick_ns)
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

    @property
    def last_hash(self) -> bytes:
        """The chain's hash at `last_seq`."""
        return self._last_hash

    async def append(self, commits: Sequence[Commit]) -> None:
        """See `Journal`. After a failure every further append fails: what the file holds is then
        not known before it is opened again.
        """
        is_quick = len(commits) == 1 and self._lately_ns <= self._quick_ns
        if is_quick and self._in_use.acquire(blocking=False):
            try:
                self._append(commits)
            finally:
                self._in_use.release()
        else:
            await self._in_thread(self._append, commits)

    async def read(self, after_seq: int) -> AsyncIterator[tuple[Commit, ...]]:
        """See `Journal`. The whole chain is checked from the first record wanted."""
        end_seq = self._last_seq
        previous_seq, previous_hash = await self._in_thread(self._record_before, after_seq)
        while records := await self._in_thread(self._records_after, previous_seq):
            for record in records:
                try:
                    commits = record.commits(previous_hash, previous_seq)
                except JournalError as error:
                    raise JournalError(f"{self._path}: {error}; {HELP}") from error
                previous_seq, previous_hash = record.last_seq, record.hash
                wanted = tuple(commit for commit in commits if commit.seq > after_seq)
                if wanted:
                    yield wanted
        if previous_seq < end_seq:
            raise JournalError(
                f"{self._path}: commits {previous_seq + 1} to {end_seq} can't be found; {HELP}"
            )

    async def check(self, up_to_seq: int) -> None:
        """See `Journal`."""
        await self._in_thread(self._check, up_to_seq)

    async def hash_at(self, seq: int) -> bytes | None:
        """See `Journal`."""
        end_seq, hash = await self._in_thread(self._record_before, seq)
        return hash if end_seq == seq else None

    async def close(self) -> None:
        """See `Journal`. Folds the write-ahead log into the file, unless an append failed."""
        try:
            await self._in_thread(self._disconnect)
        finally:
            self._thread.shutdown()

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._alone, work, *args)
        except (apsw.Error, OSError) as error:
            raise JournalError(f"{self._path}: {error}") from error
        except (UnicodeError, MemoryError) as error:
            # What a damaged page makes of a text, or of a length.
            raise JournalError(f"{self._path}: it is damaged: {error!r}; {HELP}") from error

    # Below runs in the thread, or while it is idle.

    def _alone(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        with self._in_use:
            return work(*args)

    def _connect(self) -> None:
        self._refuse_an_empty_file()
        flags = apsw.SQLITE_OPEN_READWRITE | (0 if self._only_read else apsw.SQLITE_OPEN_CREATE)
        self._connection = apsw.Connection(str(self._path), flags=flags, vfs=self._vfs)
        try:
            self._leave_as_it_is(True)
            self._connection.pragma("locking_mode", "exclusive")
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", "full")
            if self._connection.pragma("synchronous") != 2:
                raise JournalError(f"{self._path}: synchronous=FULL was not taken")
            mark = read_mark(self._path.parent)
            self._open_log(mark)
            self._compare(mark)
            self._check_pages()
            self._look_at_the_tail()
            if not self._only_read:
                self._settle()
        except apsw.BusyError as error:
            self._connection.close()
            raise JournalError(f"{self._path} is in use by another process") from error
        except BaseException:
            self._connection.close()
            raise

    def _refuse_an_empty_file(self) -> None:
        """SQLite takes an empty file for a new one, and a log beside it for waste."""
        # To open the file here and close it would undo a lock that this process has on it.
        if self._path.exists() and self._path.stat().st_size > 0:
            return
        if self._only_read:
            raise JournalError(f"no journal in {self._path.parent}")
        wal_path = self._path.with_name(WAL_NAME)
        if wal_path.exists() and wal_path.stat().st_size > 0:
            raise JournalError(f"{self._path} is gone or empty, but {WAL_NAME} isn't; {HELP}")
        self._refuse_to_begin_anew(read_mark(self._path.parent))

    def _refuse_to_begin_anew(self, mark: Mark | None) -> None:
        if mark is not None:
            raise JournalError(
                f"{self._path} holds no journal, but commit {mark.last_seq} of journal {mark.epoch} "
                f"was acknowledged; {HELP}"
            )

    def _open_log(self, mark: Mark | None) -> None:
        """Read the head, or write it into an empty file."""
        execute = self._connection.execute
        if not execute("SELECT 1 FROM sqlite_master").fetchall():
            self._refuse_to_begin_anew(mark)
            if self._only_read:
                raise JournalError(f"no journal in {self._path.parent}")
            with self._connection:
                for sql in _SCHEMA.values():
                    execute(sql)
                execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
                execute("INSERT INTO meta VALUES ('epoch', ?)", (secrets.token_hex(8),))
        meta: dict[Any, Any] = dict(execute("SELECT name, value FROM meta"))
        if meta.get("format") != str(FORMAT):
            found = meta.get("format", "none")
            raise JournalError(f"{self._path} has format {found}; this program reads {FORMAT}")
        tables: dict[Any, Any] = dict(execute("SELECT name, sql FROM sqlite_master"))
        if tables != _SCHEMA:
            raise JournalError(f"{self._path}: its tables are not those of a journal; {HELP}")
        if not isinstance(meta.get("epoch"), str):
            raise JournalError(f"{self._path}: it has no epoch; {HELP}")
        self._epoch = meta["epoch"]
        last = execute(f"{_RECORDS} ORDER BY first_seq DESC LIMIT 1").fetchone()
        self._last_seq, self._last_hash = self._end(last)

    def _compare(self, mark: Mark | None) -> None:
        """See to it that what was acknowledged is there."""
        if mark is None:
            if self._last_seq:
                text = "%s has no mark: whether anything is missing after commit %d can't be told"
                _log.warning(text, self._path, self._last_seq)
        elif mark.epoch != self._epoch:
            raise JournalError(
                f"{self._path} is journal {self._epoch}, but commit {mark.last_seq} of journal "
                f"{mark.epoch} was acknowledged here; {HELP}"
            )
        elif mark.last_seq > self._last_seq:
            raise JournalError(
                f"{self._path}: the journal ends at commit {self._last_seq}, but {mark.last_seq} was "
                f"acknowledged: its end is damaged, or an older copy is in its place; {HELP}"
            )
        elif self._record_before(mark.last_seq) != (mark.last_seq, mark.hash):
            raise JournalError(
                f"{self._path}: commit {mark.last_seq} is not the one that was acknowledged; {HELP}"
            )

    def _check_pages(self) -> None:
        """See to it that nothing of it would be written over: where SQLite takes a page for free, or
        a part of it, hashes can't tell. This reads the whole file, a second a gigabyte.
        """
        pragma = self._connection.pragma
        found = str(pragma("quick_check", 1))
        if found != "ok":
            raise JournalError(f"{self._path}: {' '.join(found.split())}; {HELP}")
        known_bytes = int(pragma("page_count")) * int(pragma("page_size"))
        if pragma("freelist_count") or known_bytes < self._path.stat().st_size:
            # Nothing is ever deleted from a journal.
            raise JournalError(f"{self._path}: its head denies pages that hold records; {HELP}")

    def _look_at_the_tail(self) -> None:
        """Log what SQLite dropped of an append that a crash cut off; refuse what no crash leaves."""
        path = self._path.with_name(WAL_NAME)
        read, _ = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        try:
            dropped = wal.dropped(wal.frames(path), read)
        except JournalError as error:
            raise JournalError(f"{path}: {error}; {HELP}") from error
        if dropped:
            text = "%s: an append was cut off after commit %d; what there is of it (pages: %d) is dropped"
            _log.warning(text, self._path, self._last_seq, dropped)

    def _settle(self) -> None:
        """Make what was found durable, before anyone is told of it; after this it is ours to write."""
        if self._connection.readonly("main"):
            raise JournalError(f"{self._path} can't be written; see who owns it, or {HELP}")
        self._connection.set_wal_hook(self._count_wal_pages)
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._mark = MarkFile(self._path.parent)
        self._mark.write(Mark(self._epoch, self._last_seq, self._last_hash))
        self._leave_as_it_is(False)

    def _leave_as_it_is(self, whether: bool) -> None:
        """Whether closing leaves the write-ahead log where it is."""
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(whether))

    def _count_wal_pages(self, connection: apsw.Connection, database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _append(self, commits: Sequence[Commit]) -> None:
        """Raises nothing but JournalError."""
        if self._broken or self._only_read:
            why = "an earlier append failed" if self._broken else "it was opened to be read"
            raise JournalError(f"{self._path}: {why}")
        record = Record.make(commits, self._last_hash, self._last_seq)
        began_ns = perf_counter_ns()
        try:
            self._connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?)",
                (record.first_seq, record.last_seq, record.batch, record.hash),
            )
            self._mark.write(Mark(self._epoch, record.last_seq, record.hash))
            if self._wal_pages >= WAL_PAGES:
                # Not left to SQLite, which keeps to itself what goes wrong then.
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except BaseException as error:
            self._broken = True
            self._leave_as_it_is(True)
            raise JournalError(
                f"{self._path}: commits {record.first_seq} to {record.last_seq} can't be made "
                f"durable: {error}; nothing of them was told, and no more is taken"
            ) from error
        self._last_seq, self._last_hash = record.last_seq, record.hash
        if len(commits) == 1:
            forgotten_ns = self._lately_ns // FORGOTTEN_PART
            self._lately_ns = max(perf_counter_ns() - began_ns, self._lately_ns - forgotten_ns)

    def _disconnect(self) -> None:
        self._connection.close()
        if not self._only_read:
            self._mark.close()

    def _check(self, up_to_seq: int) -> None:
        previous_seq, previous_hash = self._end(None)
        rows = self._connection.execute(
            f"{_RECORDS} WHERE first_seq <= ? ORDER BY first_seq", (up_to_seq,)
        )
        for row in rows:
            record = self._record(row)
            try:
                record.check(previous_hash, previous_seq)
            except JournalError as error:
                raise JournalError(f"{self._path}: {error}; {HELP}") from error
            previous_seq, previous_hash = record.last_seq, record.hash

    def _record_before(self, after_seq: int) -> tuple[int, bytes]:
        """Last seq and hash of the newest record that ends at or before `after_seq`."""
        rows = self._connection.execute(
            f"{_RECORDS} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 2", (after_seq,)
        )
        ends = [self._end(row) for row in rows]
        return next((end for end in ends if end[0] <= after_seq), self._end(None))

    def _records_after(self, last_seq: int) -> list[Record]:
        rows = self._connection.execute(
            f"{_RECORDS} WHERE first_seq > ? ORDER BY first_seq LIMIT ?", (last_seq, READ_RECORDS)
        )
        return [self._record(row) for row in rows]

    def _end(self, row: tuple[Any, ...] | None) -> tuple[int, bytes]:
        """Last seq and hash of a record, or those that the first record follows."""
        if row is None:
            return 0, origin(self._epoch)
        record = self._record(row)
        return record.last_seq, record.hash

    def _record(self, row: tuple[Any, ...]) -> Record:
        if [type(field) for field in row] != [int, int, bytes, bytes]:
            text = f"record {row[0]!r}: its fields are not numbers and bytes"
            raise JournalError(f"{self._path}: {text}; {HELP}")
        return Record(*row)
