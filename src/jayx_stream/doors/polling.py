"""The routes of polling: a GET that waits for packets, POSTs that bring them, and CORS for pages.

Rule: what is no Engine.IO gets HTTP 400 and ends the session that it named, and none that it didn't.
"""

import asyncio
from http import HTTPStatus

from msgspec.json import encode
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from jayx_stream.doors.body import BodyError, read_body
from jayx_stream.doors.carriers import PACED, PollingCarrier
from jayx_stream.doors.engine_client import EngineClient
from jayx_stream.doors.engineio import (
    BAD_METHOD,
    BAD_REQUEST,
    UNKNOWN_SESSION,
    EngineDoor,
    Refusal,
    check,
    read_query,
)
from jayx_stream.doors.origin import is_allowed
from jayx_stream.wire.engineio import Breach, Transport, split_payload

CORS_MAX_AGE_S = 7200

Headers = list[tuple[bytes, bytes]]


class PollError(Exception):
    """A request is answered with this."""

    def __init__(self, refusal: Refusal, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.status = status


class Polling:
    """An ASGI application for one path, all methods of it."""

    def __init__(self, door: EngineDoor) -> None:
        self._door = door
        self._venue = door.venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        request = Request(scope, receive)
        headers: Headers = []
        query = _query(request)
        carrier = self._door.polled(query)
        if carrier is not None and request.method in PACED:
            await carrier.turn(request.method)
        try:
            headers = self._cors(request)
            if request.method == "OPTIONS":
                await respond(send, HTTPStatus.NO_CONTENT, b"", headers)
            elif request.method == "GET":
                await self._get(request, send, headers)
            elif request.method == "POST":
                await self._post(request)
                await respond(send, HTTPStatus.OK, b"ok", headers)
            else:
                raise PollError(BAD_METHOD)
        except PollError as error:
            body = encode(error.refusal)
            if "sid" not in query:
                address = request.client.host if request.client else ""
                self._door.visitors.refuse(error.status, address)
            if request.method == "POST":
                # What is left of a body that nobody reads is not to be taken for the next request.
                headers = [*headers, (b"connection", b"close")]
            await respond(send, error.status, body, headers, b"application/json")

    def _cors(self, request: Request) -> Headers:
        """What a page needs to read the answer. Raises PollError if it may not connect."""
        hosts = request.headers.getlist("host")
        headers: Headers = []
        for origin in request.headers.getlist("origin"):
            if not is_allowed(origin, hosts, self._venue.origins):
                refusal = Refusal(4, f"pages from {origin} may not connect")
                raise PollError(refusal, HTTPStatus.FORBIDDEN)
            headers = [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-allow-methods", b"GET, POST"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", str(CORS_MAX_AGE_S).encode()),
                (b"vary", b"origin"),
            ]
        return headers

    def _session(self, request: Request) -> EngineClient | None:
        """The session that a request names; None if it names none. Raises PollError."""
        query = _query(request)
        refusal = check(query, Transport.POLLING)
        if refusal is not None:
            raise PollError(refusal)
        if "sid" not in query:
            return None
        client = self._door.sessions.get(query["sid"])
        if client is None:
            raise PollError(UNKNOWN_SESSION)
        client.look(asyncio.get_running_loop().time())
        if client.polled is None or client.polled.is_over:
            raise _gone(client)
        return client

    def _open(self, address: str) -> EngineClient:
        venue = self._venue
        if venue.not_ready is not None:
            refusal = Refusal(BAD_REQUEST.code, venue.not_ready)
            raise PollError(refusal, HTTPStatus.SERVICE_UNAVAILABLE)
        seat = self._door.websockets.addresses.seat(address)
        if seat is None:
            reason = f"{venue.limits.connections_per_address} connections from {address} are open"
            raise PollError(Refusal(BAD_REQUEST.code, reason), HTTPStatus.TOO_MANY_REQUESTS)
        client = EngineClient(self._door, seat)
        client.begin()
        return client

    async def _get(self, request: Request, send: Send, headers: Headers) -> None:
        client = self._session(request)
        if client is None:
            client = self._open(request.client.host if request.client else "")
        carrier = _carrier(client)
        watching = asyncio.create_task(_watch(request, carrier))
        try:
            payload = await carrier.ask()
            await respond(send, HTTPStatus.OK, payload, headers)
            carrier.answered()
        except Breach as breach:
            raise PollError(Refusal(BAD_REQUEST.code, str(breach))) from None
        finally:
            watching.cancel()

    async def _post(self, request: Request) -> None:
        client = self._session(request)
        if client is None:
            raise PollError(BAD_METHOD)
        carrier = _carrier(client)
        try:
            if carrier.is_posting:
                raise Breach("two POSTs at once")
            carrier.is_posting = True
            try:
                payload = await read_body(request, self._venue.limits)
            finally:
                carrier.is_posting = False
            if carrier.is_over:
                raise _gone(client)
            _take(client, payload)
        except BodyError as error:
            carrier.fail()
            raise PollError(Refusal(BAD_REQUEST.code, error.reason)) from None
        except Breach as breach:
            carrier.fail()
            raise PollError(Refusal(BAD_REQUEST.code, str(breach))) from None


async def respond(
    send: Send,
    status: HTTPStatus,
    body: bytes,
    headers: Headers,
    media_type: bytes = b"text/plain; charset=UTF-8",
) -> None:
    """Answer a request; returns once the body has left, but for what a write buffer holds."""
    fields = [
        *headers,
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    # uvicorn waits before it writes: by now the reader has taken what came before.
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _carrier(client: EngineClient) -> PollingCarrier:
    assert client.polled is not None, "a session that is polled has a carrier for that"
    return client.polled


def _gone(client: EngineClient) -> PollError:
    """Said to whom no GET or POST is answered any more: nobody knows a session that is over, or a WebSocket
    carries it.
    """
    return PollError(UNKNOWN_SESSION if client.engine.is_over else BAD_REQUEST)


def _query(request: Request) -> dict[str, str]:
    return read_query(request.scope["query_string"].decode("latin-1"))


def _take(client: EngineClient, payload: bytes) -> None:
    """Take the packets of one POST in, in order. Raises Breach."""
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise Breach(f"{error.reason} at byte {error.start}") from None
    for packet in split_payload(payload):
        if client.engine.is_over:
            return
        client.receive(packet)


async def _watch(request: Request, carrier: PollingCarrier) -> None:
    """End the session when the connection is cut that its answer is to go to: the answer is lost."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    carrier.abort()
