"""A checkpoint counts if it is whole and this journal's; anything else is passed over and said."""

import logging
import os
import re
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from jayx_stream.engine.state import ExchangeState
from jayx_stream.journal import Journal
from jayx_stream.journal.checkpoints import (
    FORMAT,
    Checkpoint,
    NoCheckpoint,
    checkpoints,
    decode_checkpoint,
    draft,
    encode_checkpoint,
    settle,
    sweep,
)
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key
from jayx_stream.model.order import OrderView
from jayx_stream.projections import KeyView
from jayx_stream.projections.state import (
    KlinesState,
    ProjectionsState,
    TickerState,
    TradesState,
)
from tests.journal.commits import batch

PARTS = {"exchange": b"one", "projections": bytes(range(256)), "third": b""}


async def journal_of(*seqs: int) -> MemoryJournal:
    """Records that end at these numbers."""
    journal, begin = MemoryJournal(), 1
    for seq in seqs:
        await journal.append(batch(begin, seq))
        begin = seq + 1
    return journal


async def checkpoint(journal: Journal, seq: int) -> Checkpoint:
    journal_hash = await journal.hash_at(seq)
    assert journal_hash is not None
    return Checkpoint(journal.epoch, seq, journal_hash, PARTS)


async def write(folder: Path, journal: Journal, *seqs: int) -> None:
    for seq in seqs:
        settle(draft(folder, await checkpoint(journal, seq)))


async def found(folder: Path, journal: Journal) -> list[int]:
    return [each.seq async for each in checkpoints(folder, journal)]


async def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = await journal_of(3, 5)
    await write(tmp_path, journal, 5)
    (read,) = [each async for each in checkpoints(tmp_path, journal)]
    assert read == await checkpoint(journal, 5)
    assert (tmp_path / "checkpoint-5.bin").stat().st_mode & 0o777 == 0o600


async def test_the_last_two_are_kept_newest_first(tmp_path: Path) -> None:
    journal = await journal_of(2, 9, 10, 11)
    await write(tmp_path, journal, 2, 9, 10, 11)
    assert await found(tmp_path, journal) == [11, 10]
    assert len(list(tmp_path.iterdir())) == 2


async def test_one_beyond_the_journal_gives_way_to_one_of_the_journal(tmp_path: Path) -> None:
    await write(tmp_path, await journal_of(50, 60), 50, 60)
    journal = await journal_of(2, 4)
    await write(tmp_path, journal, 2, 4)
    assert await found(tmp_path, journal) == [4, 2]


async def test_a_draft_does_not_count_and_is_swept(tmp_path: Path) -> None:
    journal = await journal_of(2)
    drafted = draft(tmp_path, await checkpoint(journal, 2))
    assert drafted.name == f"checkpoint-2.{os.getpid()}.tmp"
    assert await found(tmp_path, journal) == []
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_the_next_older_one_stands_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = await journal_of(2, 4)
    await write(tmp_path, journal, 2, 4)
    path = tmp_path / "checkpoint-4.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
        assert await found(tmp_path, journal) == [2]
    assert f"{path} is passed over: its checksum does not fit" in caplog.text


async def test_what_is_not_of_this_journal_is_passed_over_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal, other = await journal_of(2, 4, 6), await journal_of(2, 8)
    foreign = await checkpoint(other, 2)
    beyond = msgspec.structs.replace(await checkpoint(other, 8), epoch=journal.epoch)
    forked = msgspec.structs.replace(foreign, epoch=journal.epoch, seq=4)
    within = msgspec.structs.replace(foreign, epoch=journal.epoch, seq=3)
    for each in (foreign, beyond, forked, within):
        draft(tmp_path, each).rename(tmp_path / f"checkpoint-{each.seq}.bin")
    (tmp_path / "checkpoint-5.bin").write_bytes((tmp_path / "checkpoint-2.bin").read_bytes())
    (tmp_path / "checkpoint-6.bin").mkdir()
    (tmp_path / "checkpoint-x.bin").touch()
    with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
        assert await found(tmp_path, journal) == []
    told = [record.getMessage().split(" is passed over: ")[1] for record in caplog.records]
    assert told[0] == "it is of commit 8, the journal ends at 6"
    assert "Is a directory" in told[1]
    assert told[2] == "its name says commit 5, but it holds commit 2"
    assert told[3] == "the journal holds something else up to commit 4"
    assert told[4] == "the journal holds something else up to commit 3"
    assert told[5] == f"it is of journal {other.epoch}, this one is {journal.epoch}"


async def test_no_damage_of_a_byte_or_of_the_length_goes_unnoticed(tmp_path: Path) -> None:
    journal = await journal_of(2)
    data = encode_checkpoint(await checkpoint(journal, 2))
    for length in range(len(data)):
        with pytest.raises(NoCheckpoint):
            decode_checkpoint(data[:length])
    with pytest.raises(NoCheckpoint):
        decode_checkpoint(data + b"\0")
    path = tmp_path / "checkpoint-2.bin"
    for at in range(len(data)):
        for bit in (0, at % 7 + 1):
            flipped = data[at] ^ (1 << bit)
            path.write_bytes(data[:at] + bytes([flipped]) + data[at + 1 :])
            assert await found(tmp_path, journal) == [], f"bit {bit} of byte {at}"
    path.write_bytes(data)
    assert await found(tmp_path, journal) == [2]


def test_another_format_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jayx_stream.journal.checkpoints.FORMAT", FORMAT + 1)
    data = encode_checkpoint(Checkpoint("0" * 16, 1, b"", {}))
    monkeypatch.undo()
    with pytest.raises(NoCheckpoint, match=f"it has format {FORMAT + 1}; this program reads"):
        decode_checkpoint(data)


MODULE = re.compile(r"jayx_stream\.[a-z_.]+\.")
"""Where a struct is written down is no part of its form."""


def test_a_changed_form_of_the_parts_has_a_new_number() -> None:
    """Whoever changes these structs: raise FORMAT, then write down the new form here."""
    structs: list[type[Struct]] = [
        ExchangeState,
        ProjectionsState,
        TradesState,
        KlinesState,
        TickerState,
        KeyView,
        Key,
        OrderView,
        Instrument,
    ]
    form = "\n".join(
        f"{each.__name__} {field.encode_name} {MODULE.sub('', str(field.type))}"
        for each in structs
        for field in msgspec.structs.fields(each)
    )
    assert (FORMAT, sha256(form.encode()).hexdigest()[:16]) == (2, "84a7d771834eccd4")
