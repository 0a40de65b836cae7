"""History in a file: what it holds after a stop, and what happens to one that is not the journal's."""

import asyncio
from pathlib import Path
from random import Random

import apsw
import pytest

from jayx_stream.history import HistoryError
from jayx_stream.history import sqlite as making
from jayx_stream.history.sqlite import FILE_NAME, SqliteHistory
from jayx_stream.history.tables import PRUNE_COMMITS
from jayx_stream.model.past import Page, Rows
from jayx_stream.model.reasons import ErrorCode
from tests.history.kept import Crowd

EPOCH = "00c0ffee00c0ffee"
FAR = 10**9
ALL = Page(1000)


async def opened(folder: Path, epoch: str = EPOCH, journal_seq: int = FAR) -> SqliteHistory:
    return await SqliteHistory.open(folder, epoch, journal_seq)


@pytest.mark.parametrize("seed", range(5))
async def test_it_goes_on_where_it_ended(tmp_path: Path, seed: int) -> None:
    random, traders = Random(seed), Crowd(seed, 400)
    cuts = sorted(random.sample(range(len(traders.rows)), 3))
    for cut in cuts:
        history = await opened(tmp_path)
        assert history.note is None
        traders.give(history, traders.rows[:cut])
        await history.close()
    history = await opened(tmp_path)
    assert history.last_seq == traders.rows[cuts[-1]].seq - 1
    traders.give(history)
    for account in traders.accounts:
        own = [each for each in traders.changes if each.account == account]
        assert await history.changes(account, 0, FAR) == own
    fills = await history.fills("ann", traders.symbols, ALL)
    assert [fill.number for fill in fills][::-1] == [
        number for number, _ in traders.fills("ann", traders.symbols)
    ]
    await history.close()


@pytest.mark.parametrize(
    ("epoch", "journal_seq", "says"),
    [
        ("another", FAR, f"it is of epoch {EPOCH}, the journal of another"),
        (EPOCH, 4, "it goes to commit 5, the journal to 4"),
    ],
)
async def test_another_journals_history_is_made_again(
    tmp_path: Path, epoch: str, journal_seq: int, says: str
) -> None:
    history = await opened(tmp_path)
    for seq in range(1, 6):
        history.append(Rows(seq))
    await history.close()
    history = await opened(tmp_path, epoch, journal_seq)
    assert history.note == f"{tmp_path / FILE_NAME} is made again from the journal: {says}"
    assert history.last_seq == 0
    await history.close()


async def test_a_file_that_is_no_history_is_made_again(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"nothing that SQLite knows" * 1000)
    history = await opened(tmp_path)
    assert history.note is not None
    history.append(Rows(1))
    await history.close()
    with apsw.Connection(str(tmp_path / FILE_NAME)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    connection.close()
    history = await opened(tmp_path)
    assert "it has format 99" in (history.note or "")
    assert history.last_seq == 0
    await history.close()


async def test_a_second_one_on_the_file_is_refused(tmp_path: Path) -> None:
    history = await opened(tmp_path)
    with pytest.raises(HistoryError, match="in use by another process"):
        await opened(tmp_path)
    await history.close()


async def test_rows_are_written_soon_though_nobody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "WRITE_AFTER_S", 0.2)
    history = await opened(tmp_path)
    history.append(Rows(1))
    assert history._tables.last_seq == 0
    await asyncio.sleep(making.WRITE_AFTER_S + 0.2)
    assert history._tables.last_seq == 1
    await history.close()


async def test_much_that_waits_is_written_at_once_and_room_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "WAITING_ROWS_MAX", 100)
    history = await opened(tmp_path)
    for seq in range(1, 3 * making.WRITE_ROWS):
        history.append(Rows(seq))
    assert history._unwritten_rows > 100
    await history.room()
    assert history._unwritten_rows <= 100
    await history.close()


async def test_many_rows_are_few_statements_and_none_holds_the_interpreter(tmp_path: Path) -> None:
    history, traders = await opened(tmp_path), Crowd(1)
    statements: list[str] = []

    def trace(cursor: apsw.Cursor, sql: str, values: object) -> bool:
        statements.append(sql)
        return True

    history._connection.exec_trace = trace
    traders.give(history)
    assert await history.orders("ann", traders.symbols, ALL)
    assert sum(rows.count for rows in traders.rows) > 50 * len(statements)
    # What apsw says itself, it says with the interpreter's lock in its hand.
    assert "COMMIT" in statements
    assert not [sql for sql in statements if "SAVEPOINT" in sql]
    await history.close()


async def test_a_failure_is_told_once_and_the_next_start_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    traders = Crowd(1, 100)
    history = await SqliteHistory.open(tmp_path, EPOCH, FAR, on_failure=told.append)
    traders.give(history, traders.rows[:20])
    await history.flush()
    history._connection.execute("PRAGMA query_only = 1")
    traders.give(history, traders.rows[20:])
    for _ in range(2):
        with pytest.raises(HistoryError) as refused:
            await history.orders("ann", traders.symbols, ALL)
        assert refused.value.code is ErrorCode.UNAVAILABLE
    assert len(told) == 1
    assert "readonly" in told[0]
    history.append(Rows(traders.rows[-1].seq + 1))
    await history.room()
    await history.close()
    history = await opened(tmp_path)
    assert history.last_seq == 20
    traders.give(history)
    assert await history.changes("ann", 0, FAR) == [
        each for each in traders.changes if each.account == "ann"
    ]
    await history.close()


async def test_old_changes_leave_the_file(tmp_path: Path) -> None:
    history = await SqliteHistory.open(tmp_path, EPOCH, FAR, 50)
    traders = Crowd(1, 100)
    traders.give(history)
    for seq in range(history.last_seq + 1, PRUNE_COMMITS + 100):
        history.append(Rows(seq))
    await history.flush()
    left = history._connection.execute("SELECT count(*) FROM changes").get
    assert left == 0
    last_seq = history.last_seq
    await history.close()
    history = await SqliteHistory.open(tmp_path, EPOCH, FAR, 0)
    assert await history.changes("ann", last_seq - 60, 10) is None
    assert await history.changes("ann", last_seq - 50, 10) == []
    await history.close()
