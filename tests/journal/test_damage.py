"""A journal that isn't what was acknowledged is refused, by name, and left as it is."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from jayx_stream.journal import JournalError, mark, sqlite
from jayx_stream.journal.sqlite import FILE_NAME, WAL_NAME, SqliteJournal
from tests.journal.commits import batch, read
from tests.journal.test_sqlite import change, write


async def write_and_kill(directory: Path) -> None:
    """A journal of 9 commits in three records, as a killed process leaves it."""
    living = directory / "living"
    living.mkdir()
    journal = await SqliteJournal.open(living)
    for first_seq in (1, 4, 7):
        await journal.append(batch(first_seq, first_seq + 2))
    for path in living.iterdir():
        shutil.copy(path, directory)
    await journal.close()
    shutil.rmtree(living)


async def refusal(directory: Path) -> str:
    try:
        journal = await SqliteJournal.open(directory)
        try:
            await read(journal)
        finally:
            await journal.close()
    except JournalError as error:
        return str(error)
    raise AssertionError("it was taken")


async def test_an_end_that_is_missing_is_named(tmp_path: Path) -> None:
    await write(tmp_path)
    change(tmp_path, "DELETE FROM records WHERE first_seq = 7")
    told = await refusal(tmp_path)
    assert "the journal ends at commit 6, but 9 was acknowledged" in told
    assert "docs/operating.md" in told


async def test_another_end_is_refused(tmp_path: Path) -> None:
    await write(tmp_path)
    change(tmp_path, "UPDATE records SET hash = zeroblob(32) WHERE first_seq = 7")
    assert "commit 9 is not the one that was acknowledged" in await refusal(tmp_path)


async def test_another_journal_in_its_place_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    epoch, other_epoch = await write(tmp_path), await write(other)
    shutil.copy(other / FILE_NAME, tmp_path)
    told = await refusal(tmp_path)
    assert f"is journal {other_epoch}, but commit 9 of journal {epoch} was acknowledged" in told


@pytest.mark.parametrize("gone", ["missing", "empty"])
async def test_a_journal_that_is_gone_is_not_begun_anew(tmp_path: Path, gone: str) -> None:
    epoch = await write(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    if gone == "empty":
        (tmp_path / FILE_NAME).touch()
    told = await refusal(tmp_path)
    assert f"holds no journal, but commit 9 of journal {epoch} was acknowledged" in told


async def test_a_log_without_its_file_is_refused_and_kept(tmp_path: Path) -> None:
    await write_and_kill(tmp_path)
    for name in (FILE_NAME, mark.FILE_NAME):
        (tmp_path / name).unlink()
    log = (tmp_path / WAL_NAME).read_bytes()
    assert "is gone or empty, but journal.sqlite-wal isn't" in await refusal(tmp_path)
    assert (tmp_path / WAL_NAME).read_bytes() == log


async def test_what_is_refused_stays_as_it_is(tmp_path: Path) -> None:
    await write_and_kill(tmp_path)
    log = bytearray((tmp_path / WAL_NAME).read_bytes())
    log[-100] ^= 1
    (tmp_path / WAL_NAME).write_bytes(log)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "ends at commit 6, but 9 was acknowledged" in await refusal(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


async def test_whole_commits_behind_a_bad_frame_are_refused_without_a_mark_too(
    tmp_path: Path,
) -> None:
    await write_and_kill(tmp_path)
    (tmp_path / mark.FILE_NAME).unlink()
    log = bytearray((tmp_path / WAL_NAME).read_bytes())
    log[-2 * 4120 - 100] ^= 1
    (tmp_path / WAL_NAME).write_bytes(log)
    assert "is damaged, with whole commits behind it" in await refusal(tmp_path)


async def test_without_a_mark_it_is_opened_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await write(tmp_path)
    (tmp_path / mark.FILE_NAME).unlink()
    with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
        journal = await SqliteJournal.open(tmp_path)
    assert "has no mark: whether anything is missing after commit 9 can't be told" in caplog.text
    assert await read(journal) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    await journal.close()
    found = mark.read_mark(tmp_path)
    assert found is not None
    assert found.last_seq == 9


async def test_an_append_that_was_cut_off_is_dropped_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await write_and_kill(tmp_path)
    keep_the_mark_before(tmp_path)
    log = (tmp_path / WAL_NAME).read_bytes()
    (tmp_path / WAL_NAME).write_bytes(log[:-1000])
    with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
        journal = await SqliteJournal.open(tmp_path)
    assert len(caplog.records) == 2
    assert "an append was cut off after commit 6" in caplog.text
    assert (tmp_path / WAL_NAME).stat().st_size == 0
    assert await read(journal) == [[1, 2, 3], [4, 5, 6]]
    await journal.append(batch(7, 7))
    await journal.close()


def keep_the_mark_before(directory: Path) -> None:
    """As if the process had been killed before it acknowledged its last batch."""
    path = directory / mark.FILE_NAME
    newest = mark.read_mark(directory)
    assert newest is not None
    path.write_bytes(path.read_bytes().replace(newest.slot(), b"?" * mark.SLOT_BYTES))


@pytest.mark.parametrize(
    "damage",
    [
        "first_seq = -1",
        "last_seq = 2",
        "last_seq = 'x'",
        "batch = 'text'",
        "hash = 7",
        "last_seq = -4",
    ],
)
async def test_rows_that_were_never_written_so_are_refused(tmp_path: Path, damage: str) -> None:
    await write(tmp_path)
    change(tmp_path, f"UPDATE records SET {damage} WHERE first_seq = 4")
    assert "record" in await refusal(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE records",
        "DROP TABLE meta",
        "DELETE FROM meta",
        "DELETE FROM meta WHERE name = 'epoch'",
        "UPDATE meta SET value = x'ff' WHERE name = 'epoch'",
        "UPDATE meta SET value = CAST(x'ff' AS TEXT) WHERE name = 'epoch'",
        "ALTER TABLE records RENAME COLUMN batch TO other",
        "CREATE INDEX more ON records (last_seq)",
    ],
)
async def test_tables_that_are_not_ours_are_refused(tmp_path: Path, sql: str) -> None:
    await write(tmp_path)
    change(tmp_path, sql)
    assert FILE_NAME in await refusal(tmp_path)


async def test_a_mark_that_cannot_be_written_stops_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await SqliteJournal.open(tmp_path)
    await journal.append(batch(1, 2))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", fail)
        with pytest.raises(JournalError, match="No space left"):
            await journal.append(batch(3, 3))
    with pytest.raises(JournalError, match="an earlier append failed"):
        await journal.append(batch(3, 3))
    await journal.close()
    reopened = await SqliteJournal.open(tmp_path)
    assert await read(reopened) == [[1, 2], [3]]
    await reopened.close()


def fail(*_: object) -> int:
    raise OSError(28, "No space left on device")


async def test_to_read_changes_nothing(tmp_path: Path) -> None:
    await write_and_kill(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    journal = await SqliteJournal.open(tmp_path, only_read=True)
    assert await read(journal) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    with pytest.raises(JournalError, match="opened to be read"):
        await journal.append(batch(10, 10))
    await journal.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


async def test_to_read_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal in"):
        await SqliteJournal.open(tmp_path, only_read=True)
    assert list(tmp_path.iterdir()) == []


async def test_the_log_is_folded_in_before_it_gets_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAL_PAGES", 5)
    journal = await SqliteJournal.open(tmp_path)
    for seq in range(1, 60):
        await journal.append(batch(seq, seq))
    assert (tmp_path / WAL_NAME).stat().st_size < 10 * 4120
    await journal.close()
