"""The one public port: uvicorn serves it, `entrance` meets whoever comes, with TLS or without.

uvicorn's start is half public: this file is the only one that knows what it is made of.
"""

import asyncio
import contextlib
import logging
import math
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from jayx_stream.doors.address import read_networks
from jayx_stream.doors.counting import CountedHttp, HttpCounts
from jayx_stream.doors.entrance import Entrance
from jayx_stream.doors.rates import RatedHttp
from jayx_stream.doors.speaking import CLOSE_WITHIN_S
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.tls import ServerTls
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.session import notice

log = logging.getLogger("jayx_stream.listener")

CLOSES_PER_S = 100
"""How fast connections are closed when the server stops, unless the drain time asks for more."""

GOODBYE_S = 1.0
"""For the last clients to answer their close, before they are cut."""


NEVER_S = 10 * 365 * 86_400
"""In place of a deadline that is switched off: the event loop's own is a minute."""


class ListenError(Exception):
    """The port can't be had; the message says which and why."""


class QuietServer(uvicorn.Server):
    """uvicorn's, but it leaves signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's business."""
        yield


class _Server(QuietServer):
    """With a start of its own: uvicorn's can't be given deadlines for TLS."""

    def __init__(self, config: uvicorn.Config, tls: ServerTls | None, handshake_s: int) -> None:
        super().__init__(config)
        self._tls: dict[str, Any] = {}
        if tls is not None:
            self._tls = {
                "ssl": tls.context,
                "ssl_handshake_timeout": handshake_s or NEVER_S,
                "ssl_shutdown_timeout": CLOSE_WITHIN_S,
            }

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections from the sockets that are given."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        make = partial(
            cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class),
            self.config,
            self.server_state,
            self.lifespan.state,
        )
        self.servers = [
            await loop.create_server(make, sock=listening, backlog=self.config.backlog, **self._tls)
            for listening in sockets or ()
        ]
        self.started = True


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
        http: ASGIApp,
        door: WebSocketDoor,
        *,
        tls: ServerTls | None = None,
        proxies: Sequence[str] = (),
        http_counts: HttpCounts | None = None,
    ) -> None:
        """`proxies`: networks of those whose `X-Forwarded-For` is believed."""
        self._listening = listening
        self._door = door
        venue = door.venue
        counts: HttpCounts = Counter() if http_counts is None else http_counts
        rated = RatedHttp(
            http,
            door.addresses,
            venue.gate.order_allowance,
            door.is_asked_by_client,
            is_strictly_secure=tls is not None and tls.is_strictly_secure,
        )
        entrance = Entrance(door, read_networks(proxies))
        config = uvicorn.Config(
            CountedHttp(rated, counts, "public"),
            http=entrance,  # type: ignore[arg-type]  # any callable is taken
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, tls, venue.limits.handshake_s)

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
        log.info("clients are told goodbye", extra={"connections": len(connections)})
        for connection in connections:
            connection.tell(closing)
        for connection in connections:
            await asyncio.sleep(span_s / len(connections))
            if connection.is_owed:
                connection.take_no_more()
            else:
                connection.close(CloseCode.GOING_AWAY, "the server is stopping")
        while any(each.is_owed for each in self._door.connections) and loop.time() < end_s:
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
