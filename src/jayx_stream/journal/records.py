"""One batch as one record, chained to the record before by a hash (so that damage can't hide)."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Self

from msgspec import DecodeError, Struct

from jayx_stream.journal import JournalError
from jayx_stream.model.events import Commit, decode_commits, encode_commits

FORMAT = 1
"""Number of the record's form; it stands in every journal."""


class Record(Struct, frozen=True):
    """A batch, and the chain's hash up to it."""

    first_seq: int
    last_seq: int
    batch: bytes
    hash: bytes

    @classmethod
    def make(cls, commits: Sequence[Commit], previous_hash: bytes, previous_seq: int) -> Self:
        """Chain a batch to the record before. Raises JournalError if its numbers don't follow."""
        if not commits:
            raise JournalError(f"an empty batch can't follow {previous_seq}")
        for seq, commit in enumerate(commits, start=previous_seq + 1):
            if commit.seq != seq:
                raise JournalError(f"commit {commit.seq} can't follow {seq - 1}")
        first_seq, last_seq, batch = commits[0].seq, commits[-1].seq, encode_commits(commits)
        return cls(first_seq, last_seq, batch, chain(previous_hash, first_seq, last_seq, batch))

    def check(self, previous_hash: bytes, previous_seq: int) -> None:
        """Check the record against the one before it. Raises JournalError."""
        if self.first_seq != previous_seq + 1:
            raise self._damaged(f"expected commit {previous_seq + 1} there")
        if self.last_seq < self.first_seq:
            raise self._damaged("its numbers run backwards")
        if self.hash != chain(previous_hash, self.first_seq, self.last_seq, self.batch):
            raise self._damaged("the hash does not fit what it covers")

    def commits(self, previous_hash: bytes, previous_seq: int) -> tuple[Commit, ...]:
        """Check the record against the one before it and unpack it. Raises JournalError."""
        self.check(previous_hash, previous_seq)
        try:
            commits = decode_commits(self.batch)
        except (DecodeError, UnicodeError) as error:
            raise self._damaged(str(error)) from error
        if [commit.seq for commit in commits] != list(range(self.first_seq, self.last_seq + 1)):
            raise self._damaged("it holds other commits")
        return commits

    def _damaged(self, how: str) -> JournalError:
        return JournalError(f"record {self.first_seq} to {self.last_seq}: {how}")


def chain(previous_hash: bytes, first_seq: int, last_seq: int, batch: bytes) -> bytes:
    """The hash of a record: SHA-256 over the hash before, both numbers and the batch."""
    seqs = first_seq.to_bytes(8, "big") + last_seq.to_bytes(8, "big")
    return sha256(b"".join((previous_hash, seqs, batch))).digest()


def origin(epoch: str) -> bytes:
    """The hash that the first record is chained to."""
    return sha256(f"jayx-stream journal {FORMAT} {epoch}".encode()).digest()
