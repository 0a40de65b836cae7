"""HTTP requests, counted by route and status, on their way to a Starlette application.

Rule: a path is counted by its route's template, never by what stands in it; what has no route is one.
"""

import logging
from collections import Counter
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("jayx_stream.http")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
NO_ROUTE = "none"

HttpCounts = Counter[tuple[str, str, int]]
"""Requests by method, route and status; status 0: the client left before there was an answer."""


class CountedHttp:
    """Middleware. It looks at nothing of a request but its method and the route that it took."""

    def __init__(
        self,
        app: ASGIApp,
        counts: HttpCounts,
        port: str,
        *,
        level: int = logging.DEBUG,
        quiet: str | None = None,
    ) -> None:
        """`port` says in the log which one it is, where each request is a line of `level`; but those
        of the route `quiet` are for debugging.
        """
        self._app = app
        self._counts = counts
        self._port = port
        self._level = level
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what the application raises goes on, as status 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        except Exception:
            status = status or 500
            raise
        finally:
            self._count(scope, status, perf_counter() - began_s)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        route = scope.get("route")
        path = NO_ROUTE if route is None else route.path
        self._counts[method, path, status] += 1
        level = logging.DEBUG if path == self._quiet else self._level
        if log.isEnabledFor(level):
            address = scope["client"][0] if scope.get("client") else ""
            fields = {"port": self._port, "method": method, "route": path, "status": status}
            fields |= {"address": address, "ms": round(seconds * 1000, 1)}
            log.log(level, "request", extra=fields)
