"""The mark says how far the journal was acknowledged, whatever the crash left of it."""

import logging
import os
from pathlib import Path

import pytest

from jayx_stream.journal.mark import FILE_NAME, SLOT_BYTES, Mark, MarkFile, read_mark

EPOCH = "00c0ffee00c0ffee"


def mark(seq: int) -> Mark:
    return Mark(EPOCH, seq, bytes([seq]) * 32)


def write(directory: Path, *seqs: int) -> None:
    file = MarkFile(directory)
    for seq in seqs:
        file.write(mark(seq))
    file.close()


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None


def test_the_last_one_written_is_read(tmp_path: Path) -> None:
    for seq in range(1, 6):
        write(tmp_path, seq)
        assert read_mark(tmp_path) == mark(seq)
    write(tmp_path, 6, 7, 8)
    assert read_mark(tmp_path) == mark(8)
    assert (tmp_path / FILE_NAME).stat().st_size == 2 * SLOT_BYTES
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_torn_write_leaves_the_mark_before_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 1, 2, 3)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    older = whole.index(b" 2 ") // SLOT_BYTES * SLOT_BYTES
    for torn in (18, 60, 99):
        caplog.clear()
        path.write_bytes(whole[:older] + mark(4).slot()[:torn] + whole[older + torn :])
        with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
            assert read_mark(tmp_path) == mark(3)
        assert "is torn; the other is used" in caplog.text
    write(tmp_path, 4)
    assert read_mark(tmp_path) == mark(4)


def test_where_nothing_is_whole_there_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff" * 2 * SLOT_BYTES)
    with caplog.at_level(logging.WARNING, "jayx_stream.journal"):
        assert read_mark(tmp_path) is None
    assert "is torn; it tells nothing" in caplog.text
    write(tmp_path, 1)
    assert read_mark(tmp_path) == mark(1)


@pytest.mark.parametrize("at", [0, 20, 40, 100])
def test_a_changed_byte_is_noticed(tmp_path: Path, at: int) -> None:
    write(tmp_path, 1)
    path = tmp_path / FILE_NAME
    changed = bytearray(path.read_bytes())
    changed[changed.index(EPOCH.encode()) + at] ^= 1
    path.write_bytes(changed)
    assert read_mark(tmp_path) is None


def test_half_a_write_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = MarkFile(tmp_path)
    file.write(mark(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", lambda *_: 100)
        with pytest.raises(OSError, match="only 100 bytes"):
            file.write(mark(2))
    file.close()
