"""Who is to be written to in this turn of the event loop.

Rule: one write to each reader and turn, however many streams it reads and however much it asked. Answers
go ahead of pushes, and what else the process has to do comes between the writes to a large crowd.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jayx_stream.hub.outbox import Outbox


class Turn:
    """Outboxes in which frames are due; whoever drives the loop drains it, a slice at a time."""

    __slots__ = ("_answered", "_is_woken", "_pushed", "_wake", "begun", "ended")

    def __init__(self, wake: Callable[[], object]) -> None:
        """`wake` is called when something is due, and again after each slice that left some: `drain`
        is then to be called, soon.
        """
        self._wake = wake
        self._is_woken = False
        self._answered: deque[Outbox] = deque()
        self._pushed: deque[Outbox] = deque()
        self.begun = 0
        """Readers that were to be pushed something so far."""
        self.ended = 0
        """Those of them that were written to: whoever was to be at some moment has been once this is
        what `begun` was then.
        """

    def add_pushed(self, outbox: "Outbox") -> None:
        """A push is due to this reader, and nothing was before."""
        self._pushed.append(outbox)
        self.begun += 1
        self._be_woken()

    def add_answered(self, outbox: "Outbox") -> None:
        """An answer is due to this reader. It may be added again, and be in the crowd, too."""
        self._answered.append(outbox)
        self._be_woken()

    def drain(self, most: int) -> None:
        """Write to all who are due an answer, and to at most so many who are due a push."""
        for _ in range(len(self._answered)):
            self._answered.popleft().drain()
        for _ in range(min(most, len(self._pushed))):
            self._pushed.popleft().drain()
            self.ended += 1
        self._is_woken = False
        if self._pushed or self._answered:
            self._be_woken()

    def _be_woken(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            self._wake()
