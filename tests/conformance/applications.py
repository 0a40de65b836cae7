"""What the suites talk to: applications as their documents ask for, on the production session and
transport classes.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
import msgspec
from msgspec import Raw
from starlette.applications import Starlette
from starlette.routing import Route
from websockets.frames import Frame, Opcode

from jayx_stream.app.clock import system_clock
from jayx_stream.app.config import Config, InstrumentTerms, Streams
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.doors.counts import Side
from jayx_stream.doors.deflate import deflated_frame
from jayx_stream.doors.engine_client import EngineClient
from jayx_stream.doors.engineio import EngineDoor
from jayx_stream.doors.listener import Listener, listen
from jayx_stream.doors.polling import Polling
from jayx_stream.doors.socketio import new_sid
from jayx_stream.doors.speaking import Speaker, WebSocket
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.visitors import Visitors
from jayx_stream.doors.watching import Watch
from jayx_stream.doors.websocket import WebSocketConnection
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.wire.engineio import MESSAGE, Terms
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.socketio import Connected, Event, Packet, PacketType, Send, SocketSession

TERMS = Terms(ping_interval=300, ping_timeout=200, max_payload=1_000_000)
"""That the suites are written for."""

LIMITS = Limits(
    request_bytes=1_000_000,
    request_fragments=0,
    connections_per_address=0,
    http_requests_per_s=0,
    handshake_s=1,
)
AUTOBAHN_LIMITS = Limits(
    request_bytes=0,
    request_fragments=0,
    requests_per_s=0,
    connections_per_address=0,
    http_requests_per_s=0,
    ping_after_s=0,
    queue_bytes=0,
    queue_bytes_max=0,
)

GREET_AFTER_S = 0.02
"""The suite's clients miss an event that comes in one piece with the packet before."""


class EngineEcho:
    """Sends back what comes."""

    takes_binary = True
    key_ids = ()
    is_owed = False

    def __init__(self, client: EngineClient) -> None:
        self._client = client

    def receive(self, text: bytes) -> None:
        self._client.send(MESSAGE + text)

    def receive_binary(self, data: bytes) -> None:
        self._client.send_binary(data)

    def tell(self, answer: Answer) -> None:
        pass

    def leave(self) -> None:
        pass


class SocketEcho:
    """Greets with `auth`, answers `message` by `message-back`, and acknowledges `message-with-ack`."""

    takes_binary = True
    key_ids = ()
    is_owed = False

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._socket = SocketSession({"/", "/custom"}, new_sid, attachments_max=10)

    def receive(self, text: bytes) -> None:
        for action in self._socket.receive(text):
            match action:
                case Send(packet):
                    self._client.send(packet)
                case Connected():
                    loop = asyncio.get_running_loop()
                    loop.call_later(GREET_AFTER_S, self._greet, action)
                case Event():
                    self._answer(action)
                case _:
                    pass

    def receive_binary(self, data: bytes) -> None:
        for action in self._socket.receive_attachment(data):
            assert isinstance(action, Event)
            self._answer(action)

    def tell(self, answer: Answer) -> None:
        pass

    def leave(self) -> None:
        pass

    def _greet(self, connected: Connected) -> None:
        data = _array([Raw(b'"auth"'), connected.auth])
        self._client.send(Packet(PacketType.EVENT, connected.namespace, data=data).text())

    def _answer(self, event: Event) -> None:
        is_binary = bool(event.attachments)
        if bytes(event.name) == b'"message"':
            type = PacketType.BINARY_EVENT if is_binary else PacketType.EVENT
            data = _array([Raw(b'"message-back"'), *event.arguments])
            packet = Packet(type, event.namespace, None, len(event.attachments), data)
        else:
            type = PacketType.BINARY_ACK if is_binary else PacketType.ACK
            data = _array(event.arguments)
            packet = Packet(type, event.namespace, event.id, len(event.attachments), data)
        self._client.send(packet.text())
        for attachment in event.attachments:
            self._client.send_binary(attachment)


class WebSocketEcho:
    """Speaks on a WebSocket and sends back what comes, for Autobahn."""

    takes_binary = True
    watches_silence = True
    waiting_bytes = 0
    key_ids = ()
    is_owed = False

    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection

    def begin(self) -> None:
        pass

    def receive_text(self, text: bytes) -> None:
        if self._connection.takes_deflated:
            self._connection.write(deflated_frame(text))
        else:
            self._write(Opcode.TEXT, text)

    def receive_binary(self, data: bytes) -> None:
        self._write(Opcode.BINARY, data)

    def _write(self, opcode: Opcode, data: bytes) -> None:
        """Compressed where that was agreed on: kosoku (0.1.0) takes a binary message that is plain for a
        text there.
        """
        assert isinstance(self._connection, WebSocketConnection)
        agreed = self._connection._protocol.extensions
        self._connection.write(Frame(opcode, data).serialize(mask=False, extensions=agreed))

    def take_no_more(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def tell(self, answer: Answer) -> None:
        pass

    def leave(self) -> None:
        pass

    def gone(self, code: int, by: Side) -> None:
        pass


class EchoDoor:
    """Lets everyone in."""

    def __init__(self) -> None:
        self.visitors = Visitors("echo")

    def welcome(self, connection: WebSocket, request: object) -> Speaker:
        return WebSocketEcho(connection)

    def is_asked_by_client(self, method: str, query: bytes) -> bool:
        return False


async def _house(limits: Limits) -> EmbeddedVenue:
    """Whom the doors speak for; nobody asks it anything."""
    terms = InstrumentTerms(
        symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
    )
    config = Config(streams=Streams(deflate=True), limits=limits, instruments=(terms,))
    venue = EmbeddedVenue(config, MemoryJournal(), system_clock)
    await venue.recover()
    venue.not_ready = None
    return venue


@dataclass
class Suites:
    """Both suites' applications, served."""

    port: int
    listener: Listener
    doors: Sequence[EngineDoor]

    @contextlib.asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        origin = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=origin, trust_env=False, verify=False) as client:
            yield client

    def is_asked(self, sid: str) -> bool:
        """Whether a GET of this session waits for its answer."""
        polled = [door.sessions[sid].polled for door in self.doors if sid in door.sessions]
        return any(each is not None and each._asking is not None for each in polled)

    async def stop(self) -> None:
        await self.listener.stop()


async def start_suites(port: int, terms: Terms = TERMS) -> Suites:
    """Serve Engine.IO's suite at `/engine.io/` and Socket.IO's at `/socket.io/`; 0: any port."""
    websockets = WebSocketDoor(await _house(LIMITS))
    # The suites' clients are given little time for an answer.
    websockets.watch = Watch(tick_s=0.01)
    doors = [
        EngineDoor(websockets, "/engine.io/", EngineEcho, terms),
        EngineDoor(websockets, "/socket.io/", SocketEcho, terms),
    ]
    listening = listen("127.0.0.1", port)
    routes = [Route(door.path, Polling(door)) for door in doors]
    listener = await _serve(listening, websockets, routes)
    return Suites(listening.getsockname()[1], listener, doors)


async def start_echo(port: int) -> Listener:
    """Serve an echo at `/` to whoever speaks WebSocket."""
    websockets = WebSocketDoor(await _house(AUTOBAHN_LIMITS))
    websockets.paths["/"] = EchoDoor()
    return await _serve(listen("127.0.0.1", port), websockets, [])


async def _serve(
    listening: socket.socket, websockets: WebSocketDoor, routes: Sequence[Route]
) -> Listener:
    listener = Listener(listening, Starlette(routes=routes), websockets)
    await listener.start()
    return listener


def _array(values: Sequence[Raw]) -> Raw:
    return Raw(msgspec.json.encode(values))
