"""What SQLite drops without a word is seen: the rest of one append, or damage."""

from pathlib import Path
from struct import pack_into

import apsw
import pytest

from jayx_stream.journal import JournalError
from jayx_stream.journal.wal import dropped, frames

FRAME_BYTES = 24 + 4096
HEAD_BYTES = 32


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    """A log of three transactions, the second of several frames."""
    connection = apsw.Connection(str(tmp_path / "x"))
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.pragma("journal_mode", "wal")
    connection.execute("CREATE TABLE x (y)")
    connection.execute("INSERT INTO x VALUES (zeroblob(9000))")
    connection.execute("INSERT INTO x VALUES (1)")
    connection.close()
    return tmp_path / "x-wal"


def test_frames_tell_where_transactions_end(wal: Path) -> None:
    found = frames(wal)
    assert len(found) == (wal.stat().st_size - HEAD_BYTES) // FRAME_BYTES
    assert [number for number, ends in enumerate(found, start=1) if ends] == [2, 6, 7]
    assert None not in found


def test_a_cut_frame_counts(wal: Path) -> None:
    content = wal.read_bytes()
    wal.write_bytes(content[: HEAD_BYTES + 3 * FRAME_BYTES + 30])
    assert frames(wal) == [False, True, False, False]


def test_frames_of_the_round_before_do_not_count(wal: Path) -> None:
    content = bytearray(wal.read_bytes())
    for number in (3, 6, 7):
        pack_into(">I", content, HEAD_BYTES + (number - 1) * FRAME_BYTES + 8, 0)
    wal.write_bytes(content)
    assert frames(wal) == [False, True, None, False, False]


def test_behind_a_torn_head_nothing_counts(wal: Path) -> None:
    content = bytearray(wal.read_bytes())
    content[13] ^= 1
    wal.write_bytes(content)
    assert frames(wal) == [False]
    wal.write_bytes(content[:10])
    assert frames(wal) == [False]


def test_an_empty_log_has_none(tmp_path: Path) -> None:
    assert frames(tmp_path / "nowhere") == []
    (tmp_path / "x-wal").write_bytes(b"")
    assert frames(tmp_path / "x-wal") == []


def test_the_rest_of_one_append_may_be_dropped() -> None:
    assert dropped([False, True, False, False, True], 2) == 3
    assert dropped([False, True, False], 2) == 1
    assert dropped([False, True], 2) == 0
    assert dropped([], 0) == 0


@pytest.mark.parametrize("found", [[True, True], [None, True, False], [True, None, None, True]])
def test_whole_commits_may_not_be_dropped(found: list[bool | None]) -> None:
    with pytest.raises(JournalError, match="frame 3 of the write-ahead log is damaged"):
        dropped([False, True, *found], 2)
