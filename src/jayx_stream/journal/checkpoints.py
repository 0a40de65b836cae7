"""Checkpoints: folds of the journal up to one commit, in files beside it. Rule: a checkpoint is a
shortcut, never the truth; one that doesn't fit journal and form in every byte is passed over.
"""

import contextlib
import logging
import os
import re
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from jayx_stream.journal import Journal

FORMAT = 2
"""Number of the files' form, the parts' own included; another one is passed over."""

KEPT = 2
"""Checkpoints that are kept; older ones are deleted."""

_MAGIC = b"jayx-stream checkpoint\n"
_HASH_BYTES = 32
_NAME = re.compile(r"checkpoint-(\d{1,19})\.bin")

log = logging.getLogger("jayx_stream.journal")


class NoCheckpoint(Exception):
    """The file is no checkpoint of this journal; the message says why."""


class Checkpoint(Struct, frozen=True):
    """Folds of a journal as they stood after commit `seq`, which ends a record."""

    epoch: str
    seq: int
    journal_hash: bytes
    """The journal's chain up to `seq`."""
    parts: Mapping[str, bytes]
    """By name."""


class _Saved(Struct, frozen=True, array_like=True):
    """As it stands in a file, behind the first line and the SHA-256 of this."""

    format: int
    epoch: str
    seq: int
    journal_hash: bytes
    parts: dict[str, bytes]


_encoder = Encoder()
_decoder = Decoder(_Saved)


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """As it stands in a file."""
    epoch, seq, parts = checkpoint.epoch, checkpoint.seq, dict(sorted(checkpoint.parts.items()))
    saved = _encoder.encode(_Saved(FORMAT, epoch, seq, checkpoint.journal_hash, parts))
    return b"".join((_MAGIC, sha256(saved).digest(), saved))


def decode_checkpoint(data: bytes) -> Checkpoint:
    """Read a file's bytes. Raises NoCheckpoint unless they are all as they were written."""
    begin = len(_MAGIC) + _HASH_BYTES
    if data[: len(_MAGIC)] != _MAGIC:
        raise NoCheckpoint("it does not begin like a checkpoint")
    rest = memoryview(data)[begin:]
    if sha256(rest).digest() != data[len(_MAGIC) : begin]:
        raise NoCheckpoint("its checksum does not fit what it holds")
    try:
        saved = _decoder.decode(rest)
    except DecodeError as error:
        raise NoCheckpoint(f"it has another form: {error}") from error
    if saved.format != FORMAT:
        raise NoCheckpoint(f"it has format {saved.format}; this program reads {FORMAT}")
    return Checkpoint(saved.epoch, saved.seq, saved.journal_hash, saved.parts)


async def checkpoints(directory: Path, journal: Journal) -> AsyncIterator[Checkpoint]:
    """Those that are good for this journal, newest first. What is passed over is logged."""
    for seq, path in reversed(_files(directory)):
        try:
            checkpoint = decode_checkpoint(path.read_bytes())
            await _check(checkpoint, seq, journal)
        except (NoCheckpoint, OSError) as error:
            log.warning("%s is passed over: %s", path, error)
        else:
            yield checkpoint


async def _check(checkpoint: Checkpoint, seq: int, journal: Journal) -> None:
    """Raises NoCheckpoint if it isn't this journal's."""
    if checkpoint.seq != seq:
        raise NoCheckpoint(f"its name says commit {seq}, but it holds commit {checkpoint.seq}")
    if checkpoint.epoch != journal.epoch:
        raise NoCheckpoint(f"it is of journal {checkpoint.epoch}, this one is {journal.epoch}")
    if seq > journal.last_seq:
        raise NoCheckpoint(f"it is of commit {seq}, the journal ends at {journal.last_seq}")
    if await journal.hash_at(seq) != checkpoint.journal_hash:
        raise NoCheckpoint(f"the journal holds something else up to commit {seq}")


def draft_path(directory: Path, seq: int, pid: int) -> Path:
    """Where process `pid` puts its draft."""
    return directory / f"checkpoint-{seq}.{pid}.tmp"


def draft(directory: Path, checkpoint: Checkpoint) -> Path:
    """Write and sync a checkpoint under a name that nobody reads; `settle` gives it its own.
    Raises OSError.
    """
    path = draft_path(directory, checkpoint.seq, os.getpid())
    with open(path, "wb", opener=_private) as file:
        file.write(encode_checkpoint(checkpoint))
        file.flush()
        os.fsync(file.fileno())
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def settle(drafted: Path) -> Path:
    """Make a draft count, for good, and delete what it replaces. Raises OSError."""
    path = drafted.with_name(f"{drafted.name.split('.')[0]}.bin")
    drafted.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    files = [each for _, each in _files(path.parent)]
    at = files.index(path)
    # One of a later commit can't be of this journal.
    for other in (*files[: max(0, at - KEPT + 1)], *files[at + 1 :]):
        other.unlink(missing_ok=True)
    return path


def sweep(directory: Path) -> None:
    """Delete drafts that nobody will settle any more. For whoever holds the journal."""
    for path in directory.glob("checkpoint-*.tmp"):
        with contextlib.suppress(OSError):
            path.unlink()


def _files(directory: Path) -> list[tuple[int, Path]]:
    """Seqs and paths, oldest first."""
    found = ((_NAME.fullmatch(path.name), path) for path in directory.glob("checkpoint-*.bin"))
    return sorted((int(match[1]), path) for match, path in found if match is not None)
