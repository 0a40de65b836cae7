"""Transports on one port: the listener, raw WebSocket, and REST. They speak for what is inside, and
decide nothing; whom they speak for is `Venue`.
"""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from msgspec import Struct

from jayx_stream.hub.hub import Hub
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command, RememberSignature
from jayx_stream.model.order import OrderView
from jayx_stream.model.past import Fill, KlineRange, Page, Trade
from jayx_stream.model.views import Kline
from jayx_stream.projections import Projections
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.subscribing import Directory


class Signature(Struct, frozen=True):
    """A signed request, as far as it is signed (protocol §9)."""

    api_key: str
    timestamp: str
    sign: str
    signed: bytes
    """METHOD, path with query, and body: what follows the timestamp in the signed bytes."""
    window_ms: int
    """How far the timestamp may be off the server's clock."""


class Caller(Struct, frozen=True):
    """Whoever signed a request."""

    account: str
    used: RememberSignature
    """To be submitted before what the signature was good for, so that no restart revives it."""


class Gate(Directory, Protocol):
    """Who may come in."""

    def check(self, signature: Signature, address: str, permission: str) -> Caller:
        """Who signed. The signature is used up by this. Raises ProtocolError: UNAUTHORIZED,
        FORBIDDEN, RATE_LIMITED or UNAVAILABLE.
        """
        ...

    def take_order(self, account: str) -> bool:
        """Whether the account may place one more order now."""
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
    def origins(self) -> tuple[str, ...]:
        """Origins of pages, beside the server's own, that may connect."""
        ...

    @property
    def not_ready(self) -> str | None:
        """Why the venue does not serve; None if it does."""
        ...

    def time_ms(self) -> int:
        """The venue's clock, milliseconds since the epoch."""
        ...

    def submit(self, command: Command) -> Awaitable[Answer]:
        """Have a command decided; see `Desk`."""
        ...
