"""The road of events to gateways. `Feed` is the contract; `local` is its make within one process.

A feed may lose what it carries, never the journal: a follower that misses a commit reads again.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from jayx_stream.model.events import Commit

Follower = Callable[[Sequence[Commit]], None]
"""Takes the next durable commits in. Must not block, and must not raise."""


class Feed(Protocol):
    """Carries durable commits from the exchange to everyone who follows."""

    def publish(self, commits: Sequence[Commit]) -> None:
        """Hand on commits that are durable, in order. Called by the exchange alone."""
        ...

    async def follow(self, after_seq: int, follower: Follower) -> None:
        """Give the follower every commit after `after_seq`, each once and in order: those of the
        past before this returns, those to come as they are published.
        """
        ...
