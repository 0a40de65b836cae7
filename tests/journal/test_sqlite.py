"""What a journal in a file promises beyond the contract: it survives, it is alone, it notices damage."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from jayx_stream.journal import JournalError, mark
from jayx_stream.journal.sqlite import FILE_NAME, SqliteJournal
from tests.journal.commits import FOREVER_NS, batch, read


def change(directory: Path, sql: str) -> None:
    """Do to the closed file what a broken disk or a curious hand would."""
    connection = apsw.Connection(str(directory / FILE_NAME))
    connection.execute(sql)
    connection.close()


async def write(directory: Path) -> str:
    """A closed journal of 9 commits in three records; gives its epoch."""
    journal = await SqliteJournal.open(directory)
    for first_seq in (1, 4, 7):
        await journal.append(batch(first_seq, first_seq + 2))
    await journal.close()
    return journal.epoch


async def test_it_survives_reopening(tmp_path: Path) -> None:
    epoch = await write(tmp_path)
    journal = await SqliteJournal.open(tmp_path)
    assert (journal.epoch, journal.last_seq) == (epoch, 9)
    await journal.append(batch(10, 10))
    assert await read(journal, 6) == [[7, 8, 9], [10]]
    await journal.close()


async def test_it_survives_a_process_that_just_ends(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, pathlib, sys\n"
        "from jayx_stream.journal.sqlite import SqliteJournal\n"
        "from tests.journal.commits import batch\n"
        "async def main():\n"
        "    journal = await SqliteJournal.open(pathlib.Path(sys.argv[1]))\n"
        "    await journal.append(batch(1, 3))\n"
        "    os._exit(7)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert ended.returncode == 7
    journal = await SqliteJournal.open(tmp_path)
    assert await read(journal) == [[1, 2, 3]]
    await journal.close()


async def test_two_journals_have_two_epochs(tmp_path: Path) -> None:
    epochs = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        journal = await SqliteJournal.open(tmp_path / name)
        epochs.add(journal.epoch)
        await journal.close()
    assert len(epochs) == 2


async def test_each_append_is_synced_to_the_disk(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path)
    pragma = journal._connection.pragma
    assert await journal._in_thread(pragma, "synchronous") == 2
    assert await journal._in_thread(pragma, "journal_mode") == "wal"
    assert await journal._in_thread(pragma, "locking_mode") == "exclusive"
    await journal.close()


async def writers(journal: SqliteJournal, sizes: list[int]) -> list[str]:
    """Append batches of these sizes; gives the names of the threads that wrote them."""
    found: list[str] = []

    def trace(cursor: apsw.Cursor, sql: str, values: object) -> bool:
        found.append(threading.current_thread().name.partition("_")[0])
        return True

    journal._connection.exec_trace = trace
    for size in sizes:
        await journal.append(batch(journal.last_seq + 1, journal.last_seq + size))
    journal._connection.exec_trace = None
    return found


async def test_a_lone_commit_needs_no_thread_once_the_disk_was_quick(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, quick_ns=FOREVER_NS)
    sizes = [1, 1, 1, 2, 1]
    loop = threading.current_thread().name
    assert await writers(journal, sizes) == ["journal", loop, loop, "journal", loop]
    await journal.close()


async def test_a_disk_that_was_slow_is_left_to_the_thread(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, quick_ns=1)
    assert await writers(journal, [1, 1, 1]) == ["journal"] * 3
    await journal.close()


async def test_no_append_cuts_in_on_who_uses_the_file(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, quick_ns=FOREVER_NS)
    await journal.append(batch(1, 1))
    is_used, may_end = threading.Event(), threading.Event()

    def use() -> int:
        is_used.set()
        assert may_end.wait(10)
        return journal.last_seq

    using = asyncio.create_task(journal._in_thread(use))
    assert await asyncio.to_thread(is_used.wait, 10)
    append = asyncio.create_task(journal.append(batch(2, 2)))
    await asyncio.sleep(0)
    assert journal.last_seq == 1
    may_end.set()
    assert await using == 1
    await append
    assert await writers(journal, [1]) == [threading.current_thread().name]
    await journal.close()


async def test_a_second_writer_in_this_process_is_refused(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path)
    with pytest.raises(JournalError, match=r"journal\.sqlite is in use by another process"):
        await SqliteJournal.open(tmp_path)
    await journal.append(batch(1, 1))
    await journal.close()


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path)
    program = (
        "import asyncio, pathlib, sys\n"
        "from jayx_stream.journal.sqlite import SqliteJournal\n"
        "asyncio.run(SqliteJournal.open(pathlib.Path(sys.argv[1])))\n"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, tmp_path], check=False, capture_output=True, text=True
    )
    await journal.close()
    assert second.returncode != 0
    assert "JournalError" in second.stderr
    assert "is in use by another process" in second.stderr


@pytest.mark.parametrize("first_seq", [1, 4, 7])
@pytest.mark.parametrize(
    "damage",
    [
        "batch = CAST(substr(batch, 1, 9) || x'00' || substr(batch, 11) AS BLOB)",
        "hash = zeroblob(32)",
        "last_seq = last_seq - 1",
    ],
)
async def test_a_changed_record_is_noticed(tmp_path: Path, first_seq: int, damage: str) -> None:
    await write(tmp_path)
    change(tmp_path, f"UPDATE records SET {damage} WHERE first_seq = {first_seq}")
    (tmp_path / mark.FILE_NAME).unlink()
    journal = await SqliteJournal.open(tmp_path)
    with pytest.raises(JournalError, match=f"record {first_seq} to"):
        await read(journal)
    await journal.close()


@pytest.mark.parametrize(("removed", "noticed_at"), [(1, 4), (4, 7)])
async def test_a_removed_record_is_noticed(tmp_path: Path, removed: int, noticed_at: int) -> None:
    await write(tmp_path)
    change(tmp_path, f"DELETE FROM records WHERE first_seq = {removed}")
    journal = await SqliteJournal.open(tmp_path)
    with pytest.raises(JournalError, match=f"record {noticed_at} to .* expected commit {removed}"):
        await read(journal)
    await journal.close()


async def test_records_before_the_damage_are_read(tmp_path: Path) -> None:
    await write(tmp_path)
    change(tmp_path, "UPDATE records SET hash = zeroblob(32) WHERE first_seq = 7")
    (tmp_path / mark.FILE_NAME).unlink()
    journal = await SqliteJournal.open(tmp_path)
    commits = journal.read(0)
    assert [len(await anext(commits)) for _ in range(2)] == [3, 3]
    with pytest.raises(JournalError):
        await anext(commits)
    await journal.close()


async def test_another_format_is_refused(tmp_path: Path) -> None:
    await write(tmp_path)
    change(tmp_path, "UPDATE meta SET value = '2' WHERE name = 'format'")
    with pytest.raises(JournalError, match="has format 2; this program reads 1"):
        await SqliteJournal.open(tmp_path)


async def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, however long it goes on" * 100)
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        await SqliteJournal.open(tmp_path)


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE theirs (x)")
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        await SqliteJournal.open(tmp_path)


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere"):
        await SqliteJournal.open(tmp_path / "nowhere")


@pytest.mark.parametrize(("pragma", "value"), [("query_only", True), ("max_page_count", 1)])
async def test_after_a_failed_append_every_further_one_fails(
    tmp_path: Path, pragma: str, value: object
) -> None:
    journal = await SqliteJournal.open(tmp_path)
    await journal.append(batch(1, 2))
    before = await journal._in_thread(journal._connection.pragma, pragma)
    await journal._in_thread(journal._connection.pragma, pragma, value)
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        await journal.append(batch(3, 2000))
    await journal._in_thread(journal._connection.pragma, pragma, before)
    with pytest.raises(JournalError, match="an earlier append failed"):
        await journal.append(batch(3, 3))
    assert journal.last_seq == 2
    await journal.close()
    reopened = await SqliteJournal.open(tmp_path)
    assert await read(reopened) == [[1, 2]]
    await reopened.append(batch(3, 3))
    await reopened.close()
