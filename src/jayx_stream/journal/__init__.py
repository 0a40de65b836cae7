"""The truth, and the only one: batches of commits, durable and in order.

`Journal` is the contract; `sqlite` and `memory` are its makes, and one suite tests them all.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from jayx_stream.model.events import Commit


class JournalError(Exception):
    """The journal can't be read or written; its cause is chained. Whoever appends must stop."""


class Journal(Protocol):
    """An append-only log of commits. One writer; every method is called on one event loop."""

    @property
    def epoch(self) -> str:
        """The identity of the log, 16 hex digits, made with it: under another one every seq means
        something else.
        """
        ...

    @property
    def last_seq(self) -> int:
        """Number of the last durable commit; 0 if there is none."""
        ...

    async def append(self, commits: Sequence[Commit]) -> None:
        """Make a batch durable: when this returns, it survives a loss of power.

        The batch is one record: all of it is there afterwards, or nothing. Raises JournalError if
        it doesn't begin with `last_seq + 1`, or can't be written; then nothing may be appended any
        more.
        """
        ...

    def read(self, after_seq: int) -> AsyncIterator[tuple[Commit, ...]]:
        """Give the commits after `after_seq`, oldest first, in the batches in which they were
        appended. Raises JournalError at a record that isn't what was written.
        """
        ...

    async def check(self, up_to_seq: int) -> None:
        """Check the chain of all records that begin up to commit `up_to_seq`, without unpacking them.
        Raises JournalError at one that isn't what was written.
        """
        ...

    async def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash up to commit `seq`; None if no record ends with it. Raises JournalError."""
        ...

    async def close(self) -> None:
        """Let go of the log. Nothing may be called afterwards."""
        ...
