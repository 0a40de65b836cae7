"""Who may come in by the public port: connections and requests counted by address, and WebSocket upgrades
shown to their door (protocol §2, §10).

Rule: a connection is counted from its first moment to its last, and once, whatever becomes of it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.http11 import Request

from jayx_stream.doors import rates
from jayx_stream.doors.address import Network, client_address, is_proxy
from jayx_stream.doors.head import BoundedHeadProtocol
from jayx_stream.doors.rates import FREE_PATHS, Seat, refusal
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.websocket import WebSocketConnection

_FREE_PATHS = tuple(path.encode() for path in FREE_PATHS)

RETRY_CONNECTING_S = 1
"""What is told whose address has too many connections: nobody knows when one ends."""


class Entrance:
    """Makes the protocols of connections; uvicorn calls it as its `http` class."""

    def __init__(self, door: WebSocketDoor, proxies: Sequence[Network]) -> None:
        self.door = door
        self.addresses = door.addresses
        self.proxies = proxies

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "EntranceProtocol":
        """Make the protocol of one connection."""
        limits = self.door.venue.limits
        return EntranceProtocol(self, limits, config, server_state, app_state, _loop)


class EntranceProtocol(BoundedHeadProtocol):
    """One connection, until it is upgraded or ends."""

    def __init__(self, entrance: Entrance, *args: Any) -> None:
        super().__init__(*args)
        self._entrance = entrance
        self._peer = self._address = ""
        self.url = b""
        self._is_proxied = False
        self._seat: Seat | None = None
        """A proxy's connection has one only if it is a client's WebSocket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        proxies, peer = self._entrance.proxies, self.client[0] if self.client else ""
        self._peer = self._address = client_address(peer, (), proxies)
        self._is_proxied = is_proxy(peer, proxies)
        if not self._is_proxied:
            self._seat = self._entrance.addresses.seat(self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        # An upgraded connection does not end here, but at its door; unless the upgrade itself failed.
        if self._seat is not None:
            self._seat.leave()
        super().connection_lost(exc)

    def _begin(self) -> None:
        address = self._address = self._client_address()
        self.scope["client"] = (address, self.client[1] if self.client else 0)
        if self.parser.should_upgrade() and self._should_upgrade():
            if self._may_upgrade(address):
                super()._begin()
        elif self._is_proxied or self._seat is not None:
            super()._begin()
        elif self.url.partition(b"?")[0] in _FREE_PATHS:
            super()._begin()
            self.cycle.keep_alive = False
        else:
            self._refuse_connection(address)

    def _client_address(self) -> str:
        if not self._is_proxied:
            return self._peer
        lines = [value.decode("latin-1") for name, value in self.headers if name == _FORWARDED_FOR]
        return client_address(self._peer, lines, self._entrance.proxies)

    def _may_upgrade(self, address: str) -> bool:
        addresses, now_s = self._entrance.addresses, self.loop.time()
        if not addresses.take(address, now_s):
            self._refuse(*addresses.refusal(address, now_s))
            return False
        if self._is_proxied:
            self._seat = addresses.seat(address)
        if self._seat is None:
            self._refuse_connection(address)
            return False
        return True

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def _upgrade(self) -> None:
        """In place of uvicorn's, which writes the head anew for someone else to read. The seat goes with the
        connection.
        """
        assert self._seat is not None, "nobody is upgraded without a seat"
        self._is_upgraded = True
        self.connections.discard(self)
        connection = WebSocketConnection(self._entrance.door, self.server_state, self._seat)
        connection.connection_made(self.transport)
        connection.shake_hands(self._request())
        self.transport.set_protocol(connection)
        # Nothing comes here any more. Parser and protocol hold each other, and in a storm of connects the
        # garbage collector would be all that frees them.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at a connection's end

    handle_websocket_upgrade = _upgrade

    def _request(self) -> Request:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers
        ]
        method, version = self.scope["method"], self.scope["http_version"]
        return Request(self.url.decode("latin-1"), Headers(headers), method, f"HTTP/{version}")

    def _end(self, answer: bytes) -> None:
        path = self.url.partition(b"?")[0].decode("latin-1")
        self._entrance.door.note_refusal(int(answer[9:12]), self._address, path)
        super()._end(answer)

    def _refuse_connection(self, address: str) -> None:
        limit = self._limits.connections_per_address
        reason = f"{limit} connections from {address} are open"
        self._refuse(*refusal(reason, RETRY_CONNECTING_S))

    def _refuse(self, headers: rates.Headers, body: bytes) -> None:
        lines = [b"HTTP/1.1 429 Too Many Requests", *(b": ".join(each) for each in headers)]
        self._end(b"\r\n".join([*lines, b"connection: close", b"", body]))


_FORWARDED_FOR = b"x-forwarded-for"
