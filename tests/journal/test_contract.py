"""What every journal promises. A new make adds its name to `JOURNALS`, and passes."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from jayx_stream.journal import Journal, JournalError
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.journal.sqlite import SqliteJournal
from tests.journal.commits import FOREVER_NS, batch, commit, read


async def memory(directory: Path) -> Journal:
    return MemoryJournal()


async def sqlite(directory: Path) -> Journal:
    return await SqliteJournal.open(directory, quick_ns=0)


async def quick_sqlite(directory: Path) -> Journal:
    return await SqliteJournal.open(directory, quick_ns=FOREVER_NS)


JOURNALS: list[Callable[[Path], Awaitable[Journal]]] = [memory, sqlite, quick_sqlite]


@pytest_asyncio.fixture(params=JOURNALS, ids=lambda make: make.__name__)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    opened: Journal = await request.param(tmp_path)
    yield opened
    await opened.close()


async def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.last_seq == 0
    assert await read(journal) == []
    assert await read(journal, 5) == []


async def test_the_epoch_is_16_hex_digits_and_stays(journal: Journal) -> None:
    epoch = journal.epoch
    assert re.fullmatch(r"[0-9a-f]{16}", epoch)
    await journal.append(batch(1, 1))
    assert journal.epoch == epoch


async def test_batches_are_read_as_they_were_appended(journal: Journal) -> None:
    await journal.append(batch(1, 1))
    await journal.append(batch(2, 5))
    await journal.append(batch(6, 7))
    assert journal.last_seq == 7
    assert await read(journal) == [[1], [2, 3, 4, 5], [6, 7]]


async def test_reading_begins_after_a_seq_and_within_a_batch_too(journal: Journal) -> None:
    await journal.append(batch(1, 3))
    await journal.append(batch(4, 6))
    assert await read(journal, 3) == [[4, 5, 6]]
    assert await read(journal, 4) == [[5, 6]]
    assert await read(journal, 1) == [[2, 3], [4, 5, 6]]
    assert await read(journal, 6) == []
    assert await read(journal, 99) == []


async def test_more_records_are_read_than_are_fetched_at_once(journal: Journal) -> None:
    for seq in range(1, 601):
        await journal.append([commit(seq)])
    assert await read(journal, 10) == [[seq] for seq in range(11, 601)]


@pytest.mark.parametrize("first_seq", [0, 1, 2, 4, 100])
async def test_a_batch_that_does_not_follow_is_refused(journal: Journal, first_seq: int) -> None:
    await journal.append(batch(1, 2))
    with pytest.raises(JournalError, match=f"commit {first_seq} can't follow 2"):
        await journal.append(batch(first_seq, first_seq + 1))
    assert journal.last_seq == 2
    assert await read(journal) == [[1, 2]]


@pytest.mark.parametrize("seqs", [[1, 3], [1, 1], [1, 2, 4], [2, 1]])
async def test_a_batch_with_a_gap_is_refused(journal: Journal, seqs: list[int]) -> None:
    with pytest.raises(JournalError):
        await journal.append([commit(seq) for seq in seqs])
    assert journal.last_seq == 0
    assert await read(journal) == []


async def test_an_empty_batch_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError):
        await journal.append([])
    assert journal.last_seq == 0


async def test_the_hash_at_a_record_s_end_stays_what_it_was(journal: Journal) -> None:
    origin = await journal.hash_at(0)
    assert origin is not None
    await journal.append(batch(1, 3))
    first = await journal.hash_at(3)
    await journal.append(batch(4, 5))
    assert first is not None
    assert await journal.hash_at(0) == origin
    assert await journal.hash_at(3) == first
    assert await journal.hash_at(5) not in (None, first, origin)
    assert [await journal.hash_at(seq) for seq in (1, 2, 4, 6, 99)] == [None] * 5


async def test_a_reader_gets_what_was_durable_when_it_began(journal: Journal) -> None:
    await journal.append(batch(1, 1))
    commits = journal.read(0)
    first = await anext(commits)
    await journal.append(batch(2, 2))
    rest = [each async for each in commits]
    assert first == (commit(1),)
    assert rest in ([], [(commit(2),)])


async def test_appends_at_the_same_time_are_done_in_order(journal: Journal) -> None:
    await asyncio.gather(*(journal.append([commit(seq)]) for seq in range(1, 21)))
    assert await read(journal) == [[seq] for seq in range(1, 21)]


async def test_a_whole_chain_is_found_whole(journal: Journal) -> None:
    await journal.check(0)
    await journal.append(batch(1, 3))
    await journal.append(batch(4, 5))
    for seq in (1, 3, 5, 9):
        await journal.check(seq)
