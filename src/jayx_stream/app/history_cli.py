"""The command `jayx-stream history rebuild`: history made again from a journal that no server has open."""

import asyncio
import sys
from pathlib import Path
from time import perf_counter

from cyclopts import App

from jayx_stream.app.refolding import open_history, refold
from jayx_stream.history import CHANGES_KEPT, HistoryError
from jayx_stream.history.sqlite import FILE_NAME, remove
from jayx_stream.journal import JournalError
from jayx_stream.journal.sqlite import FILE_NAME as JOURNAL_NAME
from jayx_stream.journal.sqlite import SqliteJournal

history_app = App(name="history", help="The history beside a journal that no server has open.")


@history_app.command
def rebuild(*, data_dir: Path, changes_kept: int = CHANGES_KEPT) -> None:
    """Make history again from the journal: klines, trades, past orders, changes of accounts.

    If it is broken off, the next start of the server or of this command goes on.

    Parameters
    ----------
    data_dir
        The folder of the journal.
    changes_kept
        Commits whose changes are kept, 0 for all; as in the configuration.
    """
    try:
        asyncio.run(_rebuild(data_dir, changes_kept))
    except (JournalError, HistoryError) as error:
        reason = error.reason if isinstance(error, HistoryError) else str(error)
        print(f"jayx-stream: {reason}", file=sys.stderr)
        sys.exit(1)


async def _rebuild(directory: Path, changes_kept: int) -> None:
    if not (directory / JOURNAL_NAME).exists():
        raise JournalError(f"there is no {JOURNAL_NAME} in {directory}")
    began_s = perf_counter()
    journal = await SqliteJournal.open(directory)
    remove(directory / FILE_NAME)
    history = await open_history(directory, journal, changes_kept)
    try:
        await refold(journal, history)
    finally:
        await history.close()
        await journal.close()
    seconds = perf_counter() - began_s
    print(f"{directory / FILE_NAME} holds {history.last_seq} commits; made in {seconds:.1f} s")
