"""The start: every fold of the journal from the newest good checkpoint, then the journal's tail.

Rule: the tail is read once for all folds, and what a checkpoint saves is time, never a commit.
"""

import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

from msgspec import DecodeError

from jayx_stream.app.logs import is_for_machines
from jayx_stream.engine import Exchange, ExchangeState, decode_exchange, encode_exchange
from jayx_stream.journal import Journal
from jayx_stream.journal.checkpoints import Checkpoint, checkpoints, sweep
from jayx_stream.model.events import Commit
from jayx_stream.projections import (
    Projections,
    ProjectionsState,
    decode_projections,
    encode_projections,
)

log = logging.getLogger("jayx_stream.journal")

PROGRESS_S = 1.0
"""Between two lines about progress; a recovery that is over before the first says nothing."""

Follow = Callable[[Sequence[Commit]], None]
State = TypeVar("State")


@dataclass(frozen=True, kw_only=True)
class Fold(Generic[State]):
    """One of those that fold the journal, as a part of checkpoints."""

    name: str
    follow: Follow
    """Takes the next commits in."""
    encode: Callable[[], bytes]
    """What it is now. Called in a forked child: it may read memory, and nothing else."""
    decode: Callable[[bytes], State]
    """Changes nothing yet. Raises msgspec.DecodeError."""
    restore: Callable[[State], None]


Folds = Sequence[Fold[Any]]


@dataclass(frozen=True)
class Recovered:
    """What a start was made of."""

    checkpoint_seq: int
    """0: no checkpoint was used."""
    events: int
    """Folded after it."""
    seconds: float

    def __str__(self) -> str:
        """For the line that says that the venue is ready."""
        begin = f"checkpoint of commit {self.checkpoint_seq}, " if self.checkpoint_seq else ""
        return f"{begin}{self.events} events recovered in {self.seconds:.1f} s"


def exchange_fold(exchange: Exchange) -> Fold[ExchangeState]:
    """The writer's state."""

    def follow(commits: Sequence[Commit]) -> None:
        for commit in commits:
            exchange.apply(commit)

    return Fold(
        name="exchange",
        follow=follow,
        encode=lambda: encode_exchange(exchange.state()),
        decode=decode_exchange,
        restore=exchange.restore,
    )


def projections_fold(projections: Projections, follow: Follow) -> Fold[ProjectionsState]:
    """The views, which `follow` keeps."""
    return Fold(
        name="projections",
        follow=follow,
        encode=lambda: encode_projections(projections.state()),
        decode=decode_projections,
        restore=projections.restore,
    )


async def recover(
    journal: Journal,
    folds: Folds,
    directory: Path | None,
    *,
    at_most_seq: int | None = None,
    room: Callable[[], Awaitable[None]] | None = None,
) -> Recovered:
    """Bring empty folds to the journal's end; `directory` is where checkpoints are, if any are.
    What stands before the one that is used is checked, though not unpacked. One of a commit after
    `at_most_seq` is not used: somebody needs to see what came before it. `room` is waited for between
    batches, for folds that write. Raises JournalError.
    """
    began_s = perf_counter()
    seq = 0
    if directory is not None:
        sweep(directory)
        last_seq = journal.last_seq if at_most_seq is None else at_most_seq
        seq = await _restore(journal, folds, directory, last_seq)
        await journal.check(seq)
    progress = Progress(seq, journal.last_seq)
    async for commits in journal.read(seq):
        for fold in folds:
            fold.follow(commits)
        if room is not None:
            await room()
        progress.tell(commits)
    progress.end()
    recovered = Recovered(seq, progress.events, perf_counter() - began_s)
    log.info("%s", recovered)
    return recovered


async def _restore(journal: Journal, folds: Folds, directory: Path, last_seq: int) -> int:
    """Restore the newest checkpoint that all folds can read; gives its seq, 0 for none."""
    async for checkpoint in checkpoints(directory, journal):
        if checkpoint.seq > last_seq:
            log.warning("checkpoint of commit %d is passed over: too new", checkpoint.seq)
            continue
        try:
            states = [_state(checkpoint, fold) for fold in folds]
        except (DecodeError, KeyError) as error:
            log.warning("checkpoint of commit %d is passed over: %r", checkpoint.seq, error)
            continue
        for fold, state in zip(folds, states, strict=True):
            fold.restore(state)
        return checkpoint.seq
    return 0


def _state(checkpoint: Checkpoint, fold: Fold[State]) -> State:
    return fold.decode(checkpoint.parts[fold.name])


class Progress:
    """Tells people how far a long fold is, on stderr."""

    def __init__(self, begin_seq: int, end_seq: int) -> None:
        self.events = 0
        self._begin_seq = begin_seq
        self._commits = max(1, end_seq - begin_seq)
        self._began_s = perf_counter()
        self._next_s = self._began_s + PROGRESS_S
        self._told = False

    def tell(self, commits: Sequence[Commit]) -> None:
        """These are folded."""
        self.events += sum(len(commit.events) for commit in commits)
        now_s = perf_counter()
        if now_s < self._next_s:
            return
        self._next_s = now_s + PROGRESS_S
        percent = (commits[-1].seq - self._begin_seq) * 100 / self._commits
        rate = self.events / (now_s - self._began_s)
        line = f"{percent:5.1f} %  {self.events:,} events recovered  {rate:,.0f} events/s"
        if is_for_machines():
            log.info("%s", " ".join(line.split()))
            return
        self._told = True
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """All are."""
        if self._told:
            print(file=sys.stderr, flush=True)
