"""Checkpoints of a venue that lives: written by a forked child, so that nobody waits for them.

Rule: the fork is made between two batches, when memory is exactly what the journal holds. A checkpoint
that fails is logged and tried again later; the venue goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

from jayx_stream.app.forked import Child, ChildError, fork
from jayx_stream.app.recovery import Folds
from jayx_stream.journal import Journal, JournalError
from jayx_stream.journal.checkpoints import Checkpoint, draft, draft_path, settle

log = logging.getLogger("jayx_stream.journal")

DEADLINE_S = 300.0
"""For a child to write one, while the venue lives."""

STOP_DEADLINE_S = 15.0
"""At the stop, when somebody waits."""

Before = Callable[[int], Awaitable[None]]
"""Makes durable, elsewhere, what follows from the journal up to a seq: once a checkpoint counts,
nobody reads further back.
"""


class Checkpointing:
    """Decides when, and sees to it that one at a time is written."""

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        folds: Folds,
        *,
        every_commits: int,
        before: Sequence[Before] = (),
    ) -> None:
        """`every_commits`: at least 1. `before` is done before a checkpoint counts."""
        self._directory = directory
        self._journal = journal
        self._folds = folds
        self._every_commits = every_commits
        self._before = before
        self._last_seq = 0
        self._writing: asyncio.Task[None] | None = None
        self.fork_ms = 0.0
        """For which the last fork held the venue up."""

    def begin(self, seq: int) -> None:
        """Count commits from the checkpoint that the start used; 0 for none."""
        self._last_seq = seq

    async def after_batch(self, seq: int) -> None:
        """See `ExchangeLoop`: begin one if it is time."""
        if seq - self._last_seq < self._every_commits:
            return
        if self._writing is None or self._writing.done():
            await self._take(seq, DEADLINE_S)

    async def close(self, seq: int) -> None:
        """Write a last one, of an exchange that has ended in order at `seq`."""
        if self._writing is not None:
            await self._writing
        if seq > self._last_seq:
            await self._take(seq, STOP_DEADLINE_S)
            if self._writing is not None:
                await self._writing

    async def _take(self, seq: int, deadline_s: float) -> None:
        """Fork; the rest is done beside the venue."""
        self._last_seq = seq
        try:
            journal_hash = await self._journal.hash_at(seq)
            assert journal_hash is not None, f"no batch ended at {seq}"
            began_s = perf_counter()
            child = fork(partial(self._write, seq, journal_hash))
            self.fork_ms = (perf_counter() - began_s) * 1000
        except (JournalError, OSError) as error:
            log.error("no checkpoint of commit %d: %s", seq, error)
            return
        self._writing = asyncio.create_task(self._finish(child, seq, deadline_s))

    def _write(self, seq: int, journal_hash: bytes) -> None:
        """In the child."""
        parts = {fold.name: fold.encode() for fold in self._folds}
        draft(self._directory, Checkpoint(self._journal.epoch, seq, journal_hash, parts))

    async def _finish(self, child: Child, seq: int, deadline_s: float) -> None:
        """See the child end, and let the checkpoint count."""
        drafted = draft_path(self._directory, seq, child.pid)
        waited = asyncio.create_task(asyncio.to_thread(child.wait, deadline_s))
        try:
            for before in self._before:
                await before(seq)
            await waited
            path = await asyncio.to_thread(settle, drafted)
        except (ChildError, JournalError, OSError) as error:
            log.error("no checkpoint of commit %d: %s", seq, error)
            drafted.unlink(missing_ok=True)
        else:
            log.info("%s is written; the fork took %.1f ms", path, self.fork_ms)
        finally:
            await asyncio.wait([waited])
