"""One record: it fits the one before it, or damage is named."""

import pytest

from jayx_stream.journal import JournalError
from jayx_stream.journal.records import Record, chain, origin
from tests.journal.commits import batch

EPOCH = "00c0ffee00c0ffee"


def test_a_record_gives_back_its_batch() -> None:
    record = Record.make(batch(1, 3), origin(EPOCH), 0)
    assert (record.first_seq, record.last_seq) == (1, 3)
    assert list(record.commits(origin(EPOCH), 0)) == batch(1, 3)


def test_another_log_begins_another_chain() -> None:
    record = Record.make(batch(1, 1), origin(EPOCH), 0)
    with pytest.raises(JournalError, match="record 1 to 1: the hash does not fit"):
        record.commits(origin("f" * 16), 0)


def test_a_record_out_of_its_place_is_noticed() -> None:
    record = Record.make(batch(4, 5), b"before", 3)
    with pytest.raises(JournalError, match="record 4 to 5: expected commit 3 there"):
        record.commits(b"before", 2)


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    record = Record.make(batch(1, 3), b"before", 0)
    changed = bytearray(record.batch)
    changed[at] ^= 1
    damaged = Record(record.first_seq, record.last_seq, bytes(changed), record.hash)
    with pytest.raises(JournalError, match="the hash does not fit"):
        damaged.commits(b"before", 0)


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x90", b"\x91\x93\x01\x00\x91\x91\xa1Z"])
def test_a_record_that_was_never_a_batch_is_refused(text: bytes) -> None:
    record = Record(1, 1, text, chain(b"before", 1, 1, text))
    with pytest.raises(JournalError, match="record 1 to 1: "):
        record.commits(b"before", 0)
