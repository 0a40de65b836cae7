"""Commits to put into a journal."""

from jayx_stream.journal import Journal
from jayx_stream.model.events import AccountOpened, Commit, Deposited, MinuteBegan

FOREVER_NS = 10**18
"""Within which every disk is quick."""


def commit(seq: int) -> Commit:
    """A commit of its number's own."""
    events = (
        AccountOpened(f"trader {seq}"),
        Deposited("é", "BTC", 2**63 - seq, "x"),
        MinuteBegan(0),
    )
    return Commit(seq, seq * 1_000_000, events[: seq % 4])


def batch(first_seq: int, last_seq: int) -> list[Commit]:
    """Commits in a row."""
    return [commit(seq) for seq in range(first_seq, last_seq + 1)]


async def read(journal: Journal, after_seq: int = 0) -> list[list[int]]:
    """The numbers of the commits, batch by batch; checks that they are what was written."""
    batches = [list(commits) async for commits in journal.read(after_seq)]
    for commits in batches:
        assert commits == [commit(each.seq) for each in commits]
    return [[each.seq for each in commits] for commits in batches]
