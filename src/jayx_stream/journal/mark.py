"""The high-water mark: how far the journal was acknowledged, in a small file beside it.

SQLite can't miss what a damaged frame or page hides at its end; the mark can. Rule: it is written when
a batch is durable and before anyone is told, so it never says more than what is durable. It is not
synced: after a loss of power it may be older, and is a lower bound still.
"""

import logging
import os
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

FILE_NAME = "journal.mark"
SLOT_BYTES = 512
"""A sector: what a disk writes whole. There are two slots, written in turn, so that one is whole."""

_log = logging.getLogger("jayx_stream.journal")


class Mark(Struct, frozen=True):
    """The last acknowledged commit of a journal, and the chain's hash there."""

    epoch: str
    last_seq: int
    hash: bytes

    def slot(self) -> bytes:
        """As it stands in the file: a line of text, with its own checksum."""
        text = f"{self.epoch} {self.last_seq} {self.hash.hex()}".encode()
        return (text + b" " + _checksum(text)).ljust(SLOT_BYTES - 1) + b"\n"


class MarkFile:
    """Where marks are written, one slot after the other."""

    def __init__(self, directory: Path) -> None:
        """Make the file if it is not there. Raises OSError."""
        path = directory / FILE_NAME
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        marks = [_mark(os.pread(self._fd, SLOT_BYTES, slot * SLOT_BYTES)) for slot in (0, 1)]
        seqs = [-1 if mark is None else mark.last_seq for mark in marks]
        self._slot = 1 if seqs[0] >= seqs[1] else 0

    def write(self, mark: Mark) -> None:
        """Replace the older mark, with one call to the kernel. Raises OSError."""
        written = os.pwrite(self._fd, mark.slot(), self._slot * SLOT_BYTES)
        if written != SLOT_BYTES:
            raise OSError(f"only {written} bytes of the mark were written")
        self._slot = 1 - self._slot

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def read_mark(directory: Path) -> Mark | None:
    """The newest mark; None if there is none, or none that is whole, which is logged. Raises OSError."""
    path = directory / FILE_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    slots = [text[:SLOT_BYTES], text[SLOT_BYTES : 2 * SLOT_BYTES]]
    marks = [mark for mark in map(_mark, slots) if mark is not None]
    if len(marks) < sum(1 for slot in slots if slot.strip(b"\0")):
        _log.warning(
            "%s: a mark in it is torn; %s",
            path,
            "the other is used" if marks else "it tells nothing",
        )
    return max(marks, key=lambda mark: mark.last_seq, default=None)


def _mark(slot: bytes) -> Mark | None:
    text, _, checksum = slot.rstrip(b" \n").rpartition(b" ")
    if len(slot) != SLOT_BYTES or checksum != _checksum(text):
        return None
    epoch, last_seq, hash = text.decode().split(" ")
    return Mark(epoch, int(last_seq), bytes.fromhex(hash))


def _checksum(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:16].encode()
