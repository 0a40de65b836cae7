"""History in an SQLite file beside the journal: one connection, in a thread of its own.

WAL with synchronous=NORMAL: a loss of power may cost the newest rows, never their consistency, and
the journal has them. Rows wait until there are enough of them or the time is over; a read first has
written whatever waits. How far the rows go stands in the transaction that wrote them.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import apsw

from jayx_stream.history import CHANGES_KEPT, HistoryError
from jayx_stream.history.tables import FORMAT, SCHEMA, Tables
from jayx_stream.model.order import OrderView
from jayx_stream.model.past import AccountChange, Fill, KlineRange, Page, Rows, Trade
from jayx_stream.model.views import Kline

FILE_NAME = "history.sqlite"
WRITE_ROWS = 2000
"""Rows that are written at once without waiting any longer."""
WRITE_AFTER_S = 1.0
WAITING_ROWS_MAX = 50_000
"""Appended and not yet written, beyond which `room` waits."""

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class SqliteHistory:
    """Opened by `open`; see `History` for what it promises."""

    def __init__(self, path: Path, on_failure: Callable[[str], None]) -> None:
        self._path = path
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        self._last_seq = 0
        self._waiting: list[Rows] = []
        self._waiting_rows = 0
        self._unwritten_rows = 0
        self._written: asyncio.Future[None] | None = None
        """Of the rows that were last handed to the thread."""
        self._timer: asyncio.TimerHandle | None = None
        self._failure: str | None = None
        """Set in the thread, once: from then on nothing is written or read."""
        self.note: str | None = None
        """Why the file was made again when it was opened, if it was."""

    @classmethod
    async def open(
        cls,
        directory: Path,
        epoch: str,
        journal_seq: int,
        changes_kept: int = CHANGES_KEPT,
        *,
        on_failure: Callable[[str], None] = lambda reason: None,
    ) -> "SqliteHistory":
        """Open the history of the journal with this identity, which has come this far; one that
        isn't of that journal is made again, empty, and `note` says so. `changes_kept`: commits whose
        changes are kept, 0 for all. `on_failure` is called once if it can't be written any more.
        Raises HistoryError if the file can't be had.
        """
        history = cls(directory / FILE_NAME, on_failure)
        try:
            await history._in_thread(history._connect, epoch, journal_seq, changes_kept)
        except BaseException:
            history._thread.shutdown()
            raise
        history._last_seq = history._tables.last_seq
        return history

    @property
    def last_seq(self) -> int:
        """See `History`."""
        return self._last_seq

    def append(self, rows: Rows) -> None:
        """See `History`. After a failure nothing is kept."""
        if rows.seq <= self._last_seq or self._failure is not None:
            return
        assert rows.seq == self._last_seq + 1, f"rows of {rows.seq} after {self._last_seq}"
        self._last_seq = rows.seq
        self._waiting.append(rows)
        self._waiting_rows += rows.count
        if self._waiting_rows >= WRITE_ROWS:
            self._write_waiting()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(WRITE_AFTER_S, self._write_waiting)

    async def room(self) -> None:
        """See `History`."""
        while self._unwritten_rows > WAITING_ROWS_MAX and self._written is not None:
            await asyncio.wait([self._written])

    async def flush(self) -> None:
        """See `History`."""
        await self._read(self._checkpoint)

    async def klines(self, wanted: KlineRange) -> list[Kline]:
        """See `History`."""
        return await self._read(self._tables.klines, wanted)

    async def order(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """See `History`."""
        return await self._read(self._tables.order, account, order_id, client_order_id)

    async def orders(self, account: str, symbols: Sequence[str], page: Page) -> list[OrderView]:
        """See `History`."""
        return await self._read(self._tables.orders, account, symbols, page)

    async def fills(self, account: str, symbols: Sequence[str], page: Page) -> list[Fill]:
        """See `History`."""
        return await self._read(self._tables.fills, account, symbols, page)

    async def trades(self, symbol: str, page: Page) -> list[Trade]:
        """See `History`."""
        return await self._read(self._tables.trades, symbol, page)

    async def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        """See `History`."""
        return await self._read(self._tables.changes, account, after_seq, limit)

    async def close(self) -> None:
        """See `History`. What failed before has been told, and is made good at the next start."""
        self._write_waiting()
        try:
            await self._in_thread(self._connection.close)
        except HistoryError as error:
            self._fail(error.reason)
        finally:
            self._thread.shutdown()

    def _write_waiting(self) -> None:
        """Hand what waits to the thread, which takes its work in order."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        batch, count = self._waiting, self._waiting_rows
        self._waiting, self._waiting_rows = [], 0
        self._unwritten_rows += count
        loop = asyncio.get_running_loop()
        self._written = loop.run_in_executor(self._thread, self._write, batch)
        self._written.add_done_callback(lambda future: self._wrote(future, count))

    def _wrote(self, future: "asyncio.Future[None]", count: int) -> None:
        self._unwritten_rows -= count
        error = future.exception()
        if error is not None:
            self._fail(str(error))

    def _fail(self, reason: str) -> None:
        """Tell it once."""
        on_failure, self._on_failure = self._on_failure, lambda reason: None
        again = "the next start goes on from what it holds, `jayx-stream history rebuild` makes it again"
        on_failure(f"{self._path} can't be written any more: {reason}; {again}")

    async def _read(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        """Do something in the thread, after all that was appended has been written."""
        self._write_waiting()
        return await self._in_thread(self._if_whole, work, *args)

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        except apsw.Error as error:
            raise HistoryError(f"{self._path}: {error}") from error

    # Below runs in the thread.

    def _if_whole(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        if self._failure is not None:
            raise HistoryError(self._failure)
        return work(*args)

    def _write(self, batch: Sequence[Rows]) -> None:
        if self._failure is not None:
            return
        try:
            self._tables.write(batch)
        except BaseException as error:
            self._failure = str(error)
            raise

    def _checkpoint(self) -> None:
        """Fold the write-ahead log into the file: what it holds then survives a loss of power."""
        self._connection.wal_checkpoint()

    def _connect(self, epoch: str, journal_seq: int, changes_kept: int) -> None:
        try:
            misfit = self._open_file(epoch, journal_seq, changes_kept)
        except (apsw.CorruptError, apsw.NotADBError) as error:
            misfit = str(error)
        except apsw.BusyError as error:
            self._connection.close()
            raise HistoryError(f"{self._path} is in use by another process") from error
        if misfit is not None:
            self.note = f"{self._path} is made again from the journal: {misfit}"
            self._connection.close()
            remove(self._path)
            self._open_file(epoch, journal_seq, changes_kept)

    def _open_file(self, epoch: str, journal_seq: int, changes_kept: int) -> str | None:
        """Open it, or make it; gives why it is no history of the journal, if it is none."""
        self._connection = apsw.Connection(str(self._path))
        execute = self._connection.execute
        self._connection.pragma("locking_mode", "exclusive")
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "normal")
        # What a statement of many rows would need to be undone is kept in memory, not in a file elsewhere.
        self._connection.pragma("temp_store", "memory")
        with self._connection:
            if not execute("SELECT 1 FROM sqlite_master").fetchall():
                execute(SCHEMA)
                named = [
                    ("format", FORMAT),
                    ("epoch", epoch),
                    ("last_seq", 0),
                    ("changes_after", 0),
                ]
                for name, value in named:
                    execute("INSERT INTO meta VALUES (?, ?)", (name, str(value)))
        found = execute("SELECT value FROM meta WHERE name = 'format'").get
        if found != str(FORMAT):
            return f"it has format {found}, this program {FORMAT}"
        tables = self._tables = Tables(self._connection, changes_kept)
        if tables.epoch != epoch:
            return f"it is of epoch {tables.epoch}, the journal of {epoch}"
        if tables.last_seq > journal_seq:
            return f"it goes to commit {tables.last_seq}, the journal to {journal_seq}"
        return None


def remove(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
