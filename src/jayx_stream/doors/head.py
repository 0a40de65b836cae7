"""A deadline and a bound for the head of every request, which uvicorn has not (protocol §10).

uvicorn's `http` class is half public: like `listener`, this file is written for a range of versions.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from jayx_stream.wire.limits import Limits

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHead:
    """Makes the protocols of connections; uvicorn calls it as its `http` class."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "BoundedHeadProtocol":
        """Make the protocol of one connection."""
        return BoundedHeadProtocol(self._limits, config, server_state, app_state, _loop)


class BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, but a head has to be complete in time and in size."""

    def __init__(self, limits: Limits, *args: Any) -> None:
        super().__init__(*args)
        self._limits = limits
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None:
            self._count(len(data))

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        if self._deadline is None:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of a head."""
        self._head_is_complete()
        self._head_bytes = 0
        self._count(len(self.url) + sum(len(name) + len(value) for name, value in self.headers))
        if not self.transport.is_closing():
            super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return not self.transport.is_closing() and super()._should_upgrade()

    def on_body(self, body: bytes) -> None:
        """Called by the parser; of a refused request the rest means nothing."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser; of a refused request the rest means nothing."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        if self._limits.handshake_s:
            self._deadline = self.loop.call_later(self._limits.handshake_s, self.transport.close)

    def _head_is_complete(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if 0 < self._limits.header_bytes < self._head_bytes and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
