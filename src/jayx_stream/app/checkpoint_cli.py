"""The command `jayx-stream journal checkpoint`: a checkpoint made while no server runs."""

import asyncio
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from jayx_stream.app.recovery import exchange_fold, projections_fold, recover
from jayx_stream.engine import Exchange, state_hash
from jayx_stream.journal import JournalError
from jayx_stream.journal.checkpoints import Checkpoint, draft, settle
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.events import Commit
from jayx_stream.projections import Projections


def checkpoint(*, data_dir: Path) -> None:
    """Fold the whole journal, from its first commit on, and write a checkpoint of its end.

    The next start then has nothing to replay. Checkpoints that are there already are not used.

    Parameters
    ----------
    data_dir
        The folder of the journal.
    """
    gc.disable()
    try:
        asyncio.run(_checkpoint(data_dir))
    except (JournalError, OSError) as error:
        print(f"jayx-stream: {error}", file=sys.stderr)
        sys.exit(1)


async def _checkpoint(directory: Path) -> None:
    journal = await SqliteJournal.open(directory, only_read=True)
    try:
        exchange, projections = Exchange(open_orders_max=0), Projections()

        def follow(commits: Sequence[Commit]) -> None:
            for commit in commits:
                projections.apply(commit)

        folds = (exchange_fold(exchange), projections_fold(projections, follow))
        recovered = await recover(journal, folds, None)
        seq = journal.last_seq
        journal_hash = await journal.hash_at(seq)
        if seq == 0 or journal_hash is None:
            raise JournalError(f"{directory}: there is nothing in the journal yet")
        parts = {fold.name: fold.encode() for fold in folds}
        path = settle(draft(directory, Checkpoint(journal.epoch, seq, journal_hash, parts)))
    finally:
        await journal.close()
    size = path.stat().st_size
    print(f"{path}: {size:,} bytes, {recovered}, state {state_hash(exchange)}")
