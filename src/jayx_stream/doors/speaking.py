"""What a WebSocket connection, and what is spoken on it, know of each other."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Protocol

from websockets.http11 import Request

from jayx_stream.doors import Venue
from jayx_stream.doors.counts import Side
from jayx_stream.doors.visitors import Visitors
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.messages import Answer

CLOSE_WITHIN_S = 5.0
"""For a client to answer a goodbye, or to ask for it, before it is cut."""


class Connection(Protocol):
    """A client that is connected, by whatever transport."""

    @property
    def is_owed(self) -> bool:
        """Whether anything is still due to the client: something waits, or an order has no answer."""
        ...

    def was_let_in_by(self, key_id: str) -> bool:
        """Whether the client reads or trades by this key, and has not been told goodbye."""
        ...

    def take_no_more(self) -> None:
        """Leave what the client asks from now on undone and unanswered."""
        ...

    def tell(self, answer: Answer) -> None:
        """Send one message of the server's own."""
        ...

    def close(self, code: CloseCode, reason: str, within_s: float = CLOSE_WITHIN_S) -> None:
        """Say goodbye with a code; cut the connection if the client doesn't answer in time."""
        ...

    def abort(self) -> None:
        """Cut the connection without a goodbye."""
        ...


class WebSocket(Connection, Protocol):
    """A WebSocket connection, as what is spoken on it sees it."""

    venue: Venue
    address: str
    descriptor: int
    """Of its socket, if that may be written to past `write`; see `hub.outbox`."""
    is_behind: bool
    """Whether the client reads slower than we write."""
    takes_deflated: bool
    """Whether compressed frames were agreed on."""

    def write(self, frames: bytes) -> None:
        """Write what is framed."""
        ...

    def hand_over(self, speaker: "Speaker") -> None:
        """From now on this is spoken."""
        ...


class Speaker(Protocol):
    """What is spoken on one WebSocket connection."""

    takes_binary: bool
    """Whether binary messages are part of it."""
    watches_silence: bool
    """Whether it finds out itself that its client is gone."""

    @property
    def waiting_bytes(self) -> int:
        """See `visitors.Visitor`."""
        ...

    @property
    def key_ids(self) -> Collection[str]:
        """See `visitors.Visitor`."""
        ...

    @property
    def is_owed(self) -> bool:
        """See `Connection`."""
        ...

    def begin(self) -> None:
        """The handshake is done."""
        ...

    def receive_text(self, text: bytes) -> None:
        """A whole text message; it is UTF-8."""
        ...

    def receive_binary(self, data: bytes) -> None:
        """A whole binary message."""
        ...

    def take_no_more(self) -> None:
        """See `Connection`."""
        ...

    def pause(self) -> None:
        """The client reads slower than we write."""
        ...

    def resume(self) -> None:
        """The client has caught up."""
        ...

    def drain(self) -> None:
        """Write what is due, rather than at the end of the turn."""
        ...

    def tell(self, answer: Answer) -> None:
        """See `Connection`."""
        ...

    def leave(self) -> None:
        """Nothing is brought or taken any more. It may be called again."""
        ...

    def gone(self, code: int, by: Side) -> None:
        """The connection has ended, with this code; `leave` was called before."""
        ...


class Unwelcome(Exception):
    """An upgrade is refused, with this status and reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Door(Protocol):
    """What is spoken at one path."""

    visitors: Visitors

    def welcome(self, connection: WebSocket, request: Request) -> Speaker:
        """Gives what will be spoken once the upgrade is accepted; changes nothing yet. Raises
        Unwelcome.
        """
        ...

    def is_asked_by_client(self, method: str, query: bytes) -> bool:
        """Whether a request over HTTP is of a client who is in already: its own rate bounds it."""
        ...
