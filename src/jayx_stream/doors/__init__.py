"""Transports on one port: the listener, raw WebSocket, and REST. They speak for what is inside, and
decide nothing; whom they speak for is `Venue`.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from jayx_stream.doors.counts import OrderCounts
from jayx_stream.hub.hub import Hub
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command
from jayx_stream.model.order import OrderView
from jayx_stream.model.past import Fill, KlineRange, Page, Trade
from jayx_stream.model.views import Kline
from jayx_stream.projections import Projections
from jayx_stream.wire.access import Directory
from jayx_stream.wire.limits import Allowance, Limits


class Gate(Directory, Protocol):
    """Who may come in."""

    def take_order(self, account: str) -> bool:
        """Whether the account may place one more order now."""
        ...

    def order_allowance(self, account: str) -> Allowance | None:
        """What the account may still place; None if there is no limit."""
        ...


class Past(Protocol):
    """What is over, as far as doors ask for it; `history.History` says what is what. Raises
    ProtocolError UNAVAILABLE.
    """

    async def klines(self, wanted: KlineRange) -> list[Kline]:
        """Closed klines, oldest first."""
        ...

    async def order(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """A closed order of the account."""
        ...

    async def orders(self, account: str, symbols: Sequence[str], page: Page) -> list[OrderView]:
        """The account's closed orders, newest first."""
        ...

    async def fills(self, account: str, symbols: Sequence[str], page: Page) -> list[Fill]:
        """The account's fills, newest first."""
        ...

    async def trades(self, symbol: str, page: Page) -> list[Trade]:
        """A symbol's trades, newest first; by id alone."""
        ...


class Venue(Protocol):
    """What the doors speak for."""

    @property
    def epoch(self) -> str:
        """The identity of the log."""
        ...

    @property
    def hub(self) -> Hub:
        """The streams."""
        ...

    @property
    def projections(self) -> Projections:
        """All that can be seen."""
        ...

    @property
    def past(self) -> Past:
        """All that is over."""
        ...

    @property
    def gate(self) -> Gate:
        """Who may come in."""
        ...

    @property
    def limits(self) -> Limits:
        """What a client may do."""
        ...

    @property
    def order_counts(self) -> OrderCounts:
        """Of all doors together."""
        ...

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of pages, beside the server's own, that may connect."""
        ...

    @property
    def deflate(self) -> bool:
        """Whether compressed frames are agreed on with those who offer it."""
        ...

    @property
    def not_ready(self) -> str | None:
        """Why the venue does not serve; None if it does."""
        ...

    def time_ms(self) -> int:
        """The venue's clock, milliseconds since the epoch."""
        ...

    def submit(self, command: Command) -> asyncio.Future[Answer]:
        """Have a command decided; see `Desk`."""
        ...
