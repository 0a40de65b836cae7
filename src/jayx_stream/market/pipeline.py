"""Commands under way: they are sent without waiting for the answers of those before, up to a bound.

Answers are taken in the order of the commands, since that is the order in which they are decided.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from jayx_stream.market import Submit
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import CancelOrder, Command, PlaceOrder
from jayx_stream.model.reasons import ErrorCode, Refused

OUTSTANDING_MAX = 2_000
"""Of the 10,000 commands that may wait at a desk, so that others find room too."""

Then = Callable[[Answer], None]


class Sent:
    """A command and, once it is there, its answer."""

    __slots__ = ("answer", "command", "future", "then")

    def __init__(self, command: Command, future: asyncio.Future[Answer], then: Then | None) -> None:
        self.command = command
        self.future = future
        self.then = then
        self.answer: Answer | None = None


class Pipeline:
    """One driver's way to the desk."""

    def __init__(self, submit: Submit, outstanding_max: int = OUTSTANDING_MAX) -> None:
        """`outstanding_max`: commands that may wait for their answers at once."""
        self.unavailable: str | None = None
        """Why the exchange took a command no more; None as long as it takes all."""
        self._submit = submit
        self._outstanding: deque[Sent] = deque()
        self._outstanding_max = outstanding_max

    async def send(self, command: Command, then: Then | None = None) -> Sent:
        """Submit a command; waits only if too many are outstanding. `then` is called with the
        answer when it is taken, which is before `drain` returns.
        """
        outstanding = self._outstanding
        while outstanding and outstanding[0].future.done():
            self._take()
        while len(outstanding) >= self._outstanding_max:
            await self._take_next()
        sent = Sent(command, asyncio.ensure_future(self._submit(command)), then)
        outstanding.append(sent)
        return sent

    async def cancel(self, placed: Sent, then: Then | None = None) -> None:
        """Cancel an order that was sent; waits until its id is known. One that was refused, or is
        known to be closed, is left alone; one that others filled meanwhile is refused, which is fine.
        """
        assert isinstance(placed.command, PlaceOrder), f"{placed.command} places no order"
        while placed.answer is None:
            await self._take_next()
        if isinstance(placed.answer, Refused) or not placed.answer.orders[0].remaining_lots:
            return
        order_id = placed.answer.orders[0].order_id
        await self.send(CancelOrder(account=placed.command.account, order_id=order_id), then)

    async def drain(self) -> None:
        """Wait for every answer."""
        while self._outstanding:
            await self._take_next()

    async def _take_next(self) -> None:
        await self._outstanding[0].future
        self._take()

    def _take(self) -> None:
        sent = self._outstanding.popleft()
        answer = sent.answer = sent.future.result()
        if isinstance(answer, Refused) and answer.code is ErrorCode.UNAVAILABLE:
            self.unavailable = answer.reason
        if sent.then is not None:
            sent.then(answer)
