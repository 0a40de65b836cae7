"""The feed within one process: the past once, then what comes, in order."""

from collections.abc import Sequence

from jayx_stream.feed.local import LocalFeed
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.events import Commit
from tests.journal.commits import batch, commit


class Follower:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, commits: Sequence[Commit]) -> None:
        assert list(commits) == [commit(each.seq) for each in commits]
        self.batches.append([each.seq for each in commits])


async def journal() -> MemoryJournal:
    """One with 5 commits."""
    filled = MemoryJournal()
    await filled.append(batch(1, 3))
    await filled.append(batch(4, 5))
    return filled


async def test_the_past_comes_before_following_returns() -> None:
    feed, follower = LocalFeed((await journal()).read), Follower()
    await feed.follow(0, follower)
    assert follower.batches == [[1, 2, 3], [4, 5]]


async def test_then_each_commit_comes_once_as_it_is_published() -> None:
    feed, follower = LocalFeed((await journal()).read), Follower()
    await feed.follow(0, follower)
    feed.publish(batch(6, 7))
    feed.publish(batch(8, 8))
    assert follower.batches == [[1, 2, 3], [4, 5], [6, 7], [8]]


async def test_following_begins_after_a_seq() -> None:
    feed, follower = LocalFeed((await journal()).read), Follower()
    await feed.follow(2, follower)
    feed.publish(batch(6, 6))
    assert follower.batches == [[3], [4, 5], [6]]


async def test_every_follower_gets_everything() -> None:
    feed, followers = LocalFeed((await journal()).read), [Follower(), Follower()]
    for follower in followers:
        await feed.follow(5, follower)
    feed.publish(batch(6, 6))
    assert [follower.batches for follower in followers] == [[[6]], [[6]]]


async def test_publishing_without_followers_is_fine() -> None:
    LocalFeed((await journal()).read).publish(batch(6, 6))
