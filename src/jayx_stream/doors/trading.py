"""Orders behind every door: one service for REST and for streams (protocol §9).

Rule: a command has its place in the order when `begin` returns; its answer comes once it is durable.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter

from jayx_stream.doors import Venue
from jayx_stream.doors.counts import OK
from jayx_stream.model import answers
from jayx_stream.model.commands import CancelAll, PlaceOrder
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.wire.actions import Submit
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.trading import RestAnswer, TradingCommand, as_error, done

CANCEL_TRIES = 100
"""For the cancels of a connection that ended, while the exchange has too much waiting."""

CANCEL_AGAIN_S = 0.1


class Trading:
    """What the holders of keys ask of the exchange, whichever way they came."""

    __slots__ = ("_counts", "_venue")

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._counts = venue.order_counts

    def begin(
        self, command: TradingCommand, tell: Callable[[answers.Answer], object] | None = None
    ) -> "asyncio.Future[answers.Answer]":
        """Submit a command; `tell` is called with the answer. Raises ProtocolError RATE_LIMITED."""
        if isinstance(command, PlaceOrder) and not self._venue.gate.take_order(command.account):
            limit = self._venue.limits.orders_per_s
            reason = f"more than {limit} orders a second by {command.account}"
            self._counts.refuse(command, ErrorCode.RATE_LIMITED)
            left = self._venue.gate.order_allowance(command.account)
            wait_s = None if left is None else left.retry_after_s
            raise ProtocolError(ErrorCode.RATE_LIMITED, reason, wait_s)
        future = self._venue.submit(command)
        future.add_done_callback(partial(self._answered, command, perf_counter(), tell))
        return future

    def _answered(
        self,
        command: TradingCommand,
        began_s: float,
        tell: Callable[[answers.Answer], object] | None,
        future: "asyncio.Future[answers.Answer]",
    ) -> None:
        if not future.cancelled():
            answer = future.result()
            code = answer.code if isinstance(answer, Refused) else OK
            self._counts.answer(command, code, perf_counter() - began_s)
            if tell is not None:
                tell(answer)

    def told(self, command: TradingCommand, answer: answers.Answer) -> RestAnswer:
        """What the exchange's answer is told as. Raises ProtocolError if it is a refusal."""
        if isinstance(answer, Refused):
            raise as_error(answer)
        return done(command, answer, self._venue.projections.instruments)

    async def do(self, command: TradingCommand) -> RestAnswer:
        """Submit a command and wait until it is done. Raises ProtocolError."""
        return self.told(command, await self.begin(command))

    def cancel_all(self, account: str, tries: int = CANCEL_TRIES) -> None:
        """Cancel an account's open orders, and have nobody told. While the exchange has too much
        waiting it is tried again, for some seconds.
        """
        future = self._venue.submit(CancelAll(account=account))
        future.add_done_callback(partial(self._canceled, account, tries - 1))

    def _canceled(self, account: str, tries: int, future: "asyncio.Future[answers.Answer]") -> None:
        answer = future.result()
        if isinstance(answer, Refused) and answer.code is ErrorCode.UNAVAILABLE and tries:
            loop = asyncio.get_running_loop()
            loop.call_later(CANCEL_AGAIN_S, self.cancel_all, account, tries)


class StreamTrading:
    """One stream connection's orders, from its login to its end."""

    __slots__ = ("_ended", "_tell", "_trading", "due")

    def __init__(self, trading: Trading, tell: Callable[[Answer], None]) -> None:
        """`tell` sends an answer to the client."""
        self._trading = trading
        self._tell = tell
        self._ended = False
        self.due = 0
        """Commands that have no answer yet."""

    def submit(self, action: Submit) -> None:
        """Submit a command now; its answer is told when it comes, unless the connection has ended."""
        try:
            self._trading.begin(action.command, partial(self._answer, action))
        except ProtocolError as error:
            self._tell(action.refused(error))
        else:
            self.due += 1

    def _answer(self, action: Submit, answered: answers.Answer) -> None:
        self.due -= 1
        if self._ended:
            return
        try:
            answer = action.done(self._trading.told(action.command, answered))
        except ProtocolError as error:
            self._tell(action.refused(error))
        else:
            if answer is not None:
                self._tell(answer)

    def end(self, cancel_account: str | None) -> None:
        """The connection ends: tell no more, and cancel the account's orders, if one is given, after
        whatever was submitted before. The second time nothing happens.
        """
        if self._ended:
            return
        self._ended = True
        if cancel_account is not None:
            self._trading.cancel_all(cancel_account)
