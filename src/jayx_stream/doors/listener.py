"""The one public port: uvicorn listens, our class takes the WebSocket upgrades, the rest is HTTP.

uvicorn's `ws` class is half public: this file is the only one that knows how it is called.
"""

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from jayx_stream.doors.head import BoundedHead
from jayx_stream.doors.websocket import WebSocketDoor
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.session import notice

CLOSES_PER_S = 100
"""How fast connections are closed when the server stops, unless the drain time asks for more."""

GOODBYE_S = 1.0
"""For the last clients to answer their close, before they are cut."""


class ListenError(Exception):
    """The port can't be had; the message says which and why."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's business."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take the port. Raises ListenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ListenError(f"can't listen on {host} port {port}: {error.strerror}") from error
    listening.setblocking(False)
    return listening


class Listener:
    """The public port's server, from `start` to `stop`."""

    def __init__(
        self,
        listening: socket.socket,
        http: Starlette,
        door: WebSocketDoor,
        *,
        tls_cert: Path | None,
        tls_key: Path | None,
    ) -> None:
        self._listening = listening
        self._door = door
        self._server = _Server(
            uvicorn.Config(
                http,
                http=BoundedHead(door.venue.limits),  # type: ignore[arg-type]  # any callable is taken
                ws=door,  # type: ignore[arg-type]  # any callable is taken
                loop="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
            )
        )

    async def start(self) -> None:
        """Accept connections from now on."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ListenError("the server ended before it had started")
            await asyncio.sleep(0.005)

    async def drain(self, drain_s: int) -> None:
        """Tell every client of the stop, and close one after the other, within `drain_s` seconds.

        A client for whom something waits is closed once it has read that, or at the end.
        """
        loop = asyncio.get_running_loop()
        connections = list(self._door.connections)
        end_s = loop.time() + drain_s
        span_s = min(drain_s, len(connections) / CLOSES_PER_S)
        closing = notice("CLOSING", math.ceil(span_s))
        for connection in connections:
            connection.tell(closing)
        for connection in connections:
            await asyncio.sleep(span_s / len(connections))
            if not connection.waiting_bytes:
                connection.close(CloseCode.GOING_AWAY, "the server is stopping")
        while any(each.waiting_bytes for each in self._door.connections) and loop.time() < end_s:
            await asyncio.sleep(0.05)
        for connection in list(self._door.connections):
            connection.close(CloseCode.GOING_AWAY, "the server is stopping")

    async def stop(self) -> None:
        """End: no connection is left when this returns. Who was told goodbye has `GOODBYE_S` to answer."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + GOODBYE_S
        while self._door.connections and loop.time() < end_s:
            await asyncio.sleep(0.01)
        for connection in list(self._door.connections):
            connection.abort()
        self._server.should_exit = True
        await self._task
