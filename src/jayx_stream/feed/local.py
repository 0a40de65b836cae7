"""The feed within one process: commits are handed over by a plain call."""

from collections.abc import AsyncIterator, Callable, Sequence

from jayx_stream.feed import Follower
from jayx_stream.model.events import Commit

PastCommits = Callable[[int], AsyncIterator[tuple[Commit, ...]]]
"""Gives the durable commits after a seq: the journal's `read`."""


class LocalFeed:
    """See `Feed`. Nothing waits in it, so nothing has to be bounded."""

    def __init__(self, past: PastCommits) -> None:
        self._past = past
        self._followers: list[Follower] = []

    def publish(self, commits: Sequence[Commit]) -> None:
        """See `Feed`."""
        for follower in self._followers:
            follower(commits)

    async def follow(self, after_seq: int, follower: Follower) -> None:
        """See `Feed`. To be called before the exchange starts to publish."""
        async for commits in self._past(after_seq):
            follower(commits)
        self._followers.append(follower)
