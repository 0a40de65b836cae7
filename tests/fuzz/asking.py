"""REST and any request: through the application of a real venue in memory, without a socket.

An input is a request as HTTP writes it, but for the version: `METHOD TARGET`, header lines, a blank
line, the body. `JAYX-ACCESS-SIGN: alice` (or `bob`) stands for a good signature and its two fellows.
"""

import asyncio
import atexit
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp

from jayx_stream.doors.rest import rest_application
from tests.doors.running import Running, configured, limits, venue
from tests.doors.told import check
from tests.doors.trader import ALICE, BOB, signed

SIGNERS = {b"alice": ALICE, b"bob": BOB}
SIGN = b"jayx-access-sign"

REQUESTS_PER_VENUE = 3000
"""Then another one begins, so that no input depends on too many before it, and memory ends."""


@dataclass
class Asked:
    """A request; httptools, which parses those of the server too, fills it."""

    url: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))


def read_request(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    """The scope and body that an application gets from the server; None if the server refuses it."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    asked = Asked()
    parser = httptools.HttpRequestParser(asked)
    try:
        parser.feed_data(b"\r\n".join((first + b" HTTP/1.1", *lines, b"", b"")))
        url = httptools.parse_url(asked.url)
    except httptools.HttpParserError:
        return None
    if parser.should_upgrade() or not url.path or not url.path.isascii():
        return None
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": parser.get_method().decode(),
        "path": unquote(url.path.decode()),
        "raw_path": url.path,
        "query_string": url.query or b"",
        "root_path": "",
        "headers": _with_signature(asked, parser.get_method(), body),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8443),
    }
    return scope, body


def _with_signature(asked: Asked, method: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    signer = SIGNERS.get(dict(asked.headers).get(SIGN, b""))
    if signer is None or not asked.url.isascii():
        return asked.headers
    url = httptools.parse_url(asked.url)
    target = url.path + (b"?" + url.query if url.query else b"")
    stamp = time.time_ns() // 1_000_000
    made = signed(signer, method.decode(), target.decode(), body, stamp)
    others = [(name, value) for name, value in asked.headers if name != SIGN]
    return [*others, *((name.lower().encode(), value.encode()) for name, value in made.items())]


class Asking:
    """A venue that is asked one thing after the other, on an event loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: AsyncExitStack | None = None
        self._application: ASGIApp | None = None
        self._left = 0

    def ask(self, data: bytes) -> None:
        request = read_request(data)
        if request is not None:
            self._loop.run_until_complete(self._ask(*request))

    def close(self) -> None:
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _ask(self, scope: dict[str, Any], body: bytes) -> None:
        if self._left == 0:
            await self._end()
            await self._begin()
        self._left -= 1
        assert self._application is not None
        parts = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        start, *rest = sent
        if scope["method"] != "HEAD":
            headers = dict(start["headers"])
            text = b"".join(part.get("body", b"") for part in rest)
            content_type = headers[b"content-type"].decode()
            check(scope["method"], scope["path"], start["status"], content_type, text)
        assert start["status"] < 500, (start, rest)

    async def _begin(self) -> None:
        self._open = AsyncExitStack()
        bounds = limits(open_orders_per_account=100)
        running: Running = await self._open.enter_async_context(venue(configured(bounds)))
        self._application = rest_application(running.venue)
        self._left = REQUESTS_PER_VENUE

    async def _end(self) -> None:
        if self._open is not None:
            await self._open.aclose()


_asking: list[Asking] = []


def ask_anything(data: bytes) -> None:
    """No request is answered by HTTP 5xx, and every answer has the form that the document tells."""
    if not _asking:
        _asking.append(Asking())
        atexit.register(_asking[0].close)
    _asking[0].ask(data)
