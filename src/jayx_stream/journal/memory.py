"""A journal that ends with the process: for tests, and for venues that may forget."""

import secrets
from collections.abc import AsyncIterator, Sequence

from jayx_stream.journal.records import Record, origin
from jayx_stream.model.events import Commit


class MemoryJournal:
    """Keeps records, not objects: what is read has been through the same encoding as on a disk."""

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(8)
        self._records: list[Record] = []

    @property
    def epoch(self) -> str:
        """See `Journal`."""
        return self._epoch

    @property
    def last_seq(self) -> int:
        """See `Journal`."""
        return self._records[-1].last_seq if self._records else 0

    async def append(self, commits: Sequence[Commit]) -> None:
        """See `Journal`; durable here means as long as the process lives."""
        previous = self._records[-1].hash if self._records else origin(self._epoch)
        self._records.append(Record.make(commits, previous, self.last_seq))

    async def read(self, after_seq: int) -> AsyncIterator[tuple[Commit, ...]]:
        """See `Journal`."""
        previous_hash, previous_seq = origin(self._epoch), 0
        for record in list(self._records):
            commits = record.commits(previous_hash, previous_seq)
            previous_hash, previous_seq = record.hash, record.last_seq
            wanted = tuple(commit for commit in commits if commit.seq > after_seq)
            if wanted:
                yield wanted

    async def check(self, up_to_seq: int) -> None:
        """See `Journal`."""
        previous_hash, previous_seq = origin(self._epoch), 0
        for record in self._records:
            if record.first_seq <= up_to_seq:
                record.check(previous_hash, previous_seq)
                previous_hash, previous_seq = record.hash, record.last_seq

    async def hash_at(self, seq: int) -> bytes | None:
        """See `Journal`."""
        if seq == 0:
            return origin(self._epoch)
        return next((each.hash for each in self._records if each.last_seq == seq), None)

    async def close(self) -> None:
        """See `Journal`."""
