"""Transports on one port: the listener, raw WebSocket, and REST. They speak for what is inside, and
decide nothing; whom they speak for is `Venue`.
"""

from collections.abc import Awaitable
from typing import Protocol

from msgspec import Struct

from jayx_stream.hub.hub import Hub
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command
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


class Gate(Directory, Protocol):
    """Who may come in."""

    def check(self, signature: Signature, address: str, permission: str) -> str:
        """The account of whoever signed. Raises ProtocolError: UNAUTHORIZED, FORBIDDEN or
        RATE_LIMITED.
        """
        ...

    def take_order(self, account: str) -> bool:
        """Whether the account may place one more order now."""
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
