"""HTTP connections that are bounded, which uvicorn's are not: heads come within a time and a size, and no
answer waits for its reader for ever (protocol §10).

uvicorn's `http` class is half public: like `listener`, this file is written for a range of versions.
"""

import asyncio
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from jayx_stream.wire.limits import READ_BYTES, Limits

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)

PIPELINED_MAX = 100
"""Requests that wait for the answer to one before, on one connection."""

WRITE_BUFFER_BYTES = 65_536
"""Handed to the transport before an answer waits for its reader."""


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
    """uvicorn's HTTP, bounded."""

    def __init__(self, limits: Limits, *args: Any) -> None:
        super().__init__(*args)
        self._limits = limits
        self._head_bytes = 0
        self._is_in_head = False
        self._heads = 0
        """That are complete; as long as there is no other, all that comes belongs to the next."""
        self._deadline: asyncio.TimerHandle | None = None
        self._is_upgraded = False
        self._answering: RequestResponseCycle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._unread is not None:
            self._unread.cancel()
        self._leave_answering()
        super().connection_lost(exc)

    # What the parser calls.

    def data_received(self, data: bytes) -> None:
        for begin in range(0, len(data), READ_BYTES):
            if self.transport.is_closing() or self._is_upgraded:
                return
            self._take_in(data[begin : begin + READ_BYTES])

    def _take_in(self, data: bytes) -> None:
        heads = self._heads if self._is_in_head else None
        super().data_received(data)
        if heads == self._heads:
            self._count(len(data))
        elif not self._is_in_head and self._is_idle():
            # Blank lines before a head are no request to the parser, but uvicorn stopped waiting.
            self._expect_head()

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINED_MAX:
            self.transport.close()
        if not self._is_in_head:
            self._stop_waiting()
            self._expect_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if not self._is_in_head:
            self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._is_in_head, self._head_bytes = False, 0
        self._heads += 1
        self._count(len(self.url) + sum(len(name) + len(value) for name, value in self.headers))
        if not self.transport.is_closing():
            self._begin()

    def on_body(self, body: bytes) -> None:
        # Of a refused request the rest means nothing.
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_message_complete()

    # What uvicorn and the transport call.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        return not self.transport.is_closing() and super()._should_upgrade()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_unread()
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait_for_rest()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unread()

    def eof_received(self) -> None:
        self._watch_unread()

    def _begin(self) -> None:
        """Begin with a request whose head is complete."""
        super().on_headers_complete()

    def _end(self, answer: bytes) -> None:
        """Say this and close; say nothing if an answer to an earlier request is still to come."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()

    def _leave_answering(self) -> None:
        """Nobody is there for the answer. uvicorn would tell the last request only; if others came
        behind it, it is not the one that is being answered.
        """
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    # Deadlines and sizes.

    def _is_idle(self) -> bool:
        # The types say otherwise, but before the first request there is no cycle.
        cycle: RequestResponseCycle | None = self.cycle
        if self.transport.is_closing() or self._is_upgraded:
            return False
        return cycle is None or (cycle.response_complete and not cycle.more_body)

    def _expect_head(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        self._wait_for_rest()

    def _wait_for_rest(self) -> None:
        """Of a head, or of a body that nobody reads: bytes that drip in don't hold the connection."""
        if self._limits.handshake_s and self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.handshake_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count(self, size: int) -> None:
        """Count bytes of a head, or of what follows a body in its place."""
        self._head_bytes += size
        if 0 < self._limits.header_bytes < self._head_bytes and not self.transport.is_closing():
            self._end(_TOO_LARGE)

    def _watch_unread(self) -> None:
        """Cut a client that takes nothing of its answer for as long as it may be silent."""
        waiting = self.transport.get_write_buffer_size()
        if waiting and self._unread is None and self._limits.pong_within_s:
            self._unread = self.loop.call_later(
                self._limits.pong_within_s, self._cut_if_unread, waiting
            )

    def _cut_if_unread(self, waiting: int) -> None:
        self._unread = None
        if self.transport.get_write_buffer_size() >= waiting:
            self._leave_answering()
            self.transport.abort()
        else:
            self._watch_unread()
