"""The desk within one process: a bounded queue between those who ask and the exchange that decides."""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command
from jayx_stream.model.reasons import ErrorCode, Refused


class Asked(Struct, frozen=True):
    """A command that waits for the exchange."""

    command: Command
    time_ns: int
    """When it came to the desk, by the venue's clock."""
    future: asyncio.Future[Answer]

    def answer(self, answer: Answer) -> None:
        """Tell whoever asked, unless he stopped waiting."""
        if not self.future.done():
            self.future.set_result(answer)


class LocalDesk:
    """See `Desk`. The exchange takes from its other side."""

    def __init__(self, clock_ns: Callable[[], int], waiting_max: int = 10_000) -> None:
        """`waiting_max`: commands that may wait at once; further ones are refused."""
        self._clock_ns = clock_ns
        self._waiting: deque[Asked] = deque()
        self._waiting_max = waiting_max
        self._taker: asyncio.Future[None] | None = None
        """Of whoever waits to take what comes next."""
        self._closed: str | None = "the exchange is starting"

    def submit(self, command: Command) -> asyncio.Future[Answer]:
        """See `Desk`."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            future.set_result(Refused(ErrorCode.UNAVAILABLE, self._closed))
        elif len(self._waiting) >= self._waiting_max:
            reason = f"{self._waiting_max} commands are waiting already"
            future.set_result(Refused(ErrorCode.UNAVAILABLE, reason))
        else:
            self._waiting.append(Asked(command, self._clock_ns(), future))
            self._wake()
        return future

    @property
    def waiting(self) -> int:
        """Commands that wait to be taken."""
        return len(self._waiting)

    @property
    def is_attended(self) -> bool:
        """Whether the exchange waits for the next command, with nothing else to end before."""
        return self._taker is not None

    def open(self) -> None:
        """Begin to take commands."""
        self._closed = None

    def close(self, reason: str) -> None:
        """Take no more commands. What waits can still be taken, and `take` then gives nothing."""
        self._closed = reason
        self._wake()

    async def take(self, limit: int) -> list[Asked]:
        """Wait for commands and give all that wait, oldest first, at most `limit`; none once closed."""
        while not self._waiting:
            if self._closed is not None:
                return []
            assert self._taker is None, "two take from one desk"
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def refuse_waiting(self, reason: str) -> None:
        """Answer all that waits with UNAVAILABLE."""
        while self._waiting:
            self._waiting.popleft().answer(Refused(ErrorCode.UNAVAILABLE, reason))
