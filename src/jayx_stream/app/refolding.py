"""History made from the journal: what it lacks, or all of it."""

import logging
from pathlib import Path

from jayx_stream.app.recovery import Progress
from jayx_stream.history import History, HistoryError
from jayx_stream.history.sqlite import SqliteHistory
from jayx_stream.journal import Journal
from jayx_stream.projections import Projections, rows_of

log = logging.getLogger("jayx_stream.history")


async def open_history(directory: Path, journal: Journal, changes_kept: int) -> SqliteHistory:
    """The history of a journal that is open, beside it. If it can't be had, the journal is closed.
    Raises HistoryError.
    """
    try:
        history = await SqliteHistory.open(
            directory, journal.epoch, journal.last_seq, changes_kept, on_failure=log.error
        )
    except BaseException:
        await journal.close()
        raise
    if history.note is not None:
        log.warning("%s", history.note)
    return history


async def refold(journal: Journal, history: History) -> None:
    """Bring history to the journal's end. What it has stays; the journal is folded from its beginning
    all the same, since orders and balances that rows tell of begin there. Raises JournalError, and
    HistoryError.
    """
    log.info(
        "history has commits up to %d, the journal up to %d: the journal is folded for it",
        history.last_seq,
        journal.last_seq,
    )
    projections = Projections()
    progress = Progress(0, journal.last_seq)
    async for commits in journal.read(0):
        for commit in commits:
            changes = projections.apply(commit)
            if commit.seq > history.last_seq:
                history.append(rows_of(changes, projections))
        await history.room()
        progress.tell(commits)
    progress.end()
    await history.flush()


async def flush(history: History) -> None:
    """Have all that was appended on the disk. If that can't be, history is behind at the next start, and
    made good then.
    """
    try:
        await history.flush()
    except HistoryError as error:
        log.warning("%s", error.reason)
