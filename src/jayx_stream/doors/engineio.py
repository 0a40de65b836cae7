"""The Engine.IO door: who may open a session, and who may take one over from polling.

Rule: a WebSocket that may not harms no session, and a session goes on as it was until its upgrade is
complete.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct
from websockets.http11 import Request

from jayx_stream.doors.carriers import PACED, PollingCarrier, frame_packet
from jayx_stream.doors.counts import Side
from jayx_stream.doors.engine_client import Application, Engine, EngineClient
from jayx_stream.doors.speaking import Speaker, Unwelcome, WebSocket
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.engineio import PING_S, VERSION, Breach, Send, Switch, Terms, Transport
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import Answer


class Refusal(Struct, frozen=True):
    """Why a request is not taken, as Engine.IO numbers it."""

    code: int
    message: str


UNKNOWN_TRANSPORT = Refusal(0, "Transport unknown")
UNKNOWN_SESSION = Refusal(1, "Session ID unknown")
BAD_METHOD = Refusal(2, "Bad handshake method")
BAD_REQUEST = Refusal(3, "Bad request")
BAD_VERSION = Refusal(5, "Unsupported protocol version")


def read_query(text: str) -> dict[str, str]:
    """A query's parameters; of those that stand there twice, the last."""
    return {name: each[-1] for name, each in parse_qs(text).items()}


def check(query: dict[str, str], transport: Transport) -> Refusal | None:
    """What is wrong with a query, if anything."""
    if query.get("EIO") != VERSION:
        return BAD_VERSION
    if query.get("transport") != transport.value:
        return UNKNOWN_TRANSPORT
    return None


def terms_of(limits: Limits) -> Terms:
    """The terms that protocol §10 makes."""
    return Terms(
        ping_interval=(limits.ping_after_s or PING_S) * 1000,
        ping_timeout=(limits.pong_within_s or PING_S) * 1000,
        max_payload=limits.request_bytes,
    )


class EngineDoor(Engine):
    """All sessions at one path."""

    def __init__(
        self,
        websockets: WebSocketDoor,
        path: str,
        begin: Callable[["EngineClient"], Application],
        terms: Terms | None = None,
    ) -> None:
        """`begin` makes what speaks on a session; the terms are those of the limits. In figures and
        the log the door is called like its path, letters only.
        """
        name = "".join(filter(str.isalpha, path))
        super().__init__(websockets, begin, terms or terms_of(websockets.venue.limits), name)
        self.path = path
        websockets.paths[path] = self

    def welcome(self, connection: WebSocket, request: Request) -> Speaker:
        """See `speaking.Door`: a new session, or one that wants to change over from polling."""
        query = read_query(urlsplit(request.path).query)
        refusal = check(query, Transport.WEBSOCKET)
        if refusal is not None:
            raise Unwelcome(HTTPStatus.BAD_REQUEST, refusal.message)
        sid = query.get("sid")
        if sid is None:
            return EngineClient(self, connection)
        client = self.sessions.get(sid)
        if client is None:
            raise Unwelcome(HTTPStatus.BAD_REQUEST, UNKNOWN_SESSION.message)
        return Probe(client, connection)

    def is_asked_by_client(self, method: str, query: bytes) -> bool:
        """See `speaking.Door`."""
        return method in PACED and self.polled(read_query(query.decode("latin-1"))) is not None

    def polled(self, query: dict[str, str]) -> PollingCarrier | None:
        """What carries the session that a query names, if it is polled."""
        client = self.sessions.get(query.get("sid", ""))
        return None if client is None else client.polled


class Probe:
    """A WebSocket that wants to take a session over from polling."""

    takes_binary = False
    watches_silence = True
    waiting_bytes = 0
    key_ids = ()
    is_owed = False

    def __init__(self, client: EngineClient, connection: WebSocket) -> None:
        self._client = client
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """See `Speaker`. One at a time may try, and only while the session is polled."""
        client = self._client
        if client.polled is None or client.probing is not None or client.engine.is_over:
            self.give_up("the session has a WebSocket already")
            return
        client.probing = self._connection
        within_s = client.venue.limits.handshake_s or PING_S
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(within_s, self.give_up, f"no upgrade within {within_s} s")

    def receive_text(self, text: bytes) -> None:
        """See `Speaker`."""
        client = self._client
        if client.probing is not self._connection:
            return
        try:
            action = client.engine.receive_on_probe(text)
        except Breach as breach:
            self.give_up(str(breach))
            return
        match action:
            case Send(packet):
                self._connection.write(frame_packet(packet))
                if client.polled is not None:
                    client.polled.release()
            case Switch():
                self._stop_waiting()
                client.switch(self._connection)

    def receive_binary(self, data: bytes) -> None:
        """See `Speaker`."""
        raise AssertionError("no binary message is taken")

    def take_no_more(self) -> None:
        """See `Speaker`."""

    def pause(self) -> None:
        """See `Speaker`. Only one short packet is ever written."""

    def resume(self) -> None:
        """See `Speaker`."""

    def drain(self) -> None:
        """See `Speaker`. Nothing is ever due."""

    def tell(self, answer: Answer) -> None:
        """See `Speaker`. The session is told by its own transport."""

    def leave(self) -> None:
        """See `Speaker`. The session goes on as it was."""
        self._stop_waiting()
        if self._client.probing is self._connection:
            self._client.probe_failed()

    def gone(self, code: int, by: Side) -> None:
        """See `Speaker`. Nobody was let in."""

    def give_up(self, reason: str) -> None:
        """End this WebSocket, and nothing else."""
        self._connection.close(CloseCode.POLICY, reason)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
