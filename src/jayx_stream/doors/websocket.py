"""WebSocket connections: one between a socket and what is spoken on it (protocol §2, §3).

Handshake, fragments and close rules are the `websockets` library's, without its I/O. What is ours: texts
that come whole (`frames`), frames that are built once and written to every reader, bounds, deadlines and
goodbyes.
What is spoken depends on the path: at `/` the raw door's requests and pushes.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN

from jayx_stream.doors.counts import ending
from jayx_stream.doors.deflate import takes_deflated
from jayx_stream.doors.frames import Fragments, FrameProtocol, has_body
from jayx_stream.doors.origin import is_allowed
from jayx_stream.doors.rates import Seat
from jayx_stream.doors.speaking import CLOSE_WITHIN_S, Door, Speaker, Unwelcome
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.watching import NEVER
from jayx_stream.hub.outbox import NO_DESCRIPTOR
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.limits import READ_BYTES, TokenBucket
from jayx_stream.wire.messages import Answer

WRITE_BUFFER_BYTES = 65_536
"""Handed to a transport with TLS before pushes wait in the outbox."""

PIECE_BYTES = 16_384
"""Written to a connection with TLS at once: a record's most. The room between encryption and socket grows
with the largest write, and is kept until the connection ends.
"""

UNWANTED_BYTES_MAX = 16_384
"""Looked through for a client's goodbye after ours; the rest is dropped as it comes."""


class WebSocketConnection(asyncio.Protocol):
    """One connection, from its upgrade request to its end. There are very many, most of them idle: what
    few of them need is made when it is needed.
    """

    __slots__ = (
        "_controls",
        "_door",
        "_fragments",
        "_has_left",
        "_heard_s",
        "_is_listening",
        "_limits",
        "_loop",
        "_protocol",
        "_seat",
        "_server_connections",
        "_speaker",
        "_timer",
        "_transport",
        "_unwanted_bytes",
        "_watched_at",
        "address",
        "descriptor",
        "is_behind",
        "takes_deflated",
        "venue",
        "write",
    )

    def __init__(self, door: WebSocketDoor, server_state: ServerState, seat: Seat) -> None:
        self._door = door
        self._seat = seat
        self.address = seat.address
        self.venue = door.venue
        self._limits = door.venue.limits
        self._server_connections = cast("set[Any]", server_state.connections)
        self._loop = asyncio.get_running_loop()
        self._protocol: FrameProtocol
        self.takes_deflated = False
        self._controls: TokenBucket | None = None
        """Of pings and pongs."""
        self._fragments: Fragments | None = None
        """Of the message that comes in more than one."""
        self._is_listening = False
        """Whether messages are taken: from the handshake until either side says goodbye."""
        self._has_left = False
        self._unwanted_bytes = 0
        self._heard_s = self._loop.time()
        self._watched_at = NEVER
        """The tick at which the watch looks whether the client is silent."""
        self._timer: asyncio.TimerHandle | None = None
        """Of a goodbye."""
        self._speaker: Speaker | None = None
        self.descriptor = NO_DESCRIPTOR
        self.is_behind = False

    # What asyncio and uvicorn call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The upgrade request has been read; `shake_hands` will be given it."""
        self._server_connections.add(self)
        self._transport = cast("asyncio.Transport", transport)
        self.write: Callable[[bytes], None] = self._transport.write
        if transport.get_extra_info("sslcontext") is None:
            # Whatever the socket doesn't take at once makes the client wait: so nothing can be written
            # past what the transport holds.
            self._transport.set_write_buffer_limits(high=0)
            self.descriptor = transport.get_extra_info("socket").fileno()
        else:
            self.write = self._write_in_pieces
            self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    def _write_in_pieces(self, frames: bytes) -> None:
        for begin in range(0, len(frames), PIECE_BYTES):
            self._transport.write(frames[begin : begin + PIECE_BYTES])

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._heard_s = self._loop.time()
        for begin in range(0, len(data), READ_BYTES):
            self._take_in(data[begin : begin + READ_BYTES])

    def _take_in(self, data: bytes) -> None:
        if self._has_left:
            self._unwanted_bytes += len(data)
            if self._unwanted_bytes > UNWANTED_BYTES_MAX:
                return
        protocol = self._protocol
        events = protocol.take_in(data)
        if protocol.writes and self._is_listening and protocol.state is OPEN:
            self._send()
        for event in events:
            if not self._is_listening:
                break
            if isinstance(event, bytes):
                self._take_text(event)
            elif isinstance(event, Frame):
                self._receive(event)
        # A goodbye is said last: what came before it in the same bytes is still to be done.
        if protocol.writes:
            self._send()

    def eof_received(self) -> None:
        """The client sends no more."""
        self._protocol.receive_eof()
        self._send()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self.is_behind = True
        if self._speaker is not None:
            self._speaker.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.is_behind = False
        if self._speaker is not None:
            self._speaker.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, however it came."""
        self._server_connections.discard(self)
        self._door.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._look_no_more()
        self._seat.leave()
        self._leave()
        if self._speaker is not None:
            self._speaker.gone(*ending(self._protocol))
            self._speaker = None
        self._protocol.forget()
        self.write = self._transport.write

    def shutdown(self) -> None:
        """The server ends now: called by uvicorn for whoever is still there after the drain."""
        self.close(CloseCode.GOING_AWAY, "the server is stopping")

    # The handshake.

    def shake_hands(self, request: Request) -> None:
        """Answer the upgrade request, which was read by whoever made the connection."""
        path = request.path.partition("?")[0]
        # Open from its beginning, it waits for frames; what reads a request keeps it as long as it lives.
        max_size = self._limits.request_bytes or None
        opened = FrameProtocol(state=OPEN, max_size=max_size, extensions=self._door.extensions)
        speaker: Speaker | None = None
        try:
            door = self._door_at(path, request)
            response = opened.accept(request)
            if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                self.takes_deflated = takes_deflated(opened.extensions)
                speaker = door.welcome(self, request)
        except Unwelcome as refused:
            response = opened.reject(refused.status, f"{refused.reason}\n")
        if speaker is None:
            opened.forget()
            self._protocol = FrameProtocol()
            self._protocol.send_response(response)
            self._send()
            self._door.note_refusal(response.status_code, self.address, path)
            self._close_within(CLOSE_WITHIN_S)
            return
        self._protocol = opened
        self.write(response.serialize())
        self._is_listening = True
        self._door.connections.add(self)
        self.hand_over(speaker)
        speaker.begin()

    def _door_at(self, path: str, request: Request) -> Door:
        """What may be spoken there. Raises Unwelcome."""
        door = self._door.paths.get(path)
        if door is None:
            paths = " and ".join(self._door.paths)
            reason = f"no stream at {request.path}; there is one at {paths}"
            raise Unwelcome(HTTPStatus.NOT_FOUND, reason)
        if has_body(request):
            raise Unwelcome(HTTPStatus.BAD_REQUEST, "an upgrade has no body")
        hosts = request.headers.get_all("Host")
        for origin in request.headers.get_all("Origin"):
            if not is_allowed(origin, hosts, self.venue.origins):
                raise Unwelcome(HTTPStatus.FORBIDDEN, f"pages from {origin} may not connect")
        if self.venue.not_ready is not None:
            raise Unwelcome(HTTPStatus.SERVICE_UNAVAILABLE, self.venue.not_ready)
        return door

    def hand_over(self, speaker: Speaker) -> None:
        """From now on this is spoken."""
        self._speaker = speaker
        if self.is_behind:
            speaker.pause()
        if not speaker.watches_silence:
            self.look(self._loop.time())

    # Messages.

    def _receive(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            self._count_control()
            return
        if frame.opcode is Opcode.CLOSE or self._speaker is None:
            return
        if frame.opcode is Opcode.BINARY and not self._speaker.takes_binary:
            self._fail(CloseCode.UNSUPPORTED_DATA, "only text is spoken here")
            return
        if frame.fin and frame.opcode is Opcode.TEXT:
            self._take_text(bytes(frame.data))
            return
        if frame.fin and frame.opcode is Opcode.BINARY:
            self._speaker.receive_binary(bytes(frame.data))
            return
        if frame.opcode is not Opcode.CONT:
            self._fragments = Fragments(frame.opcode)
        fragments = self._fragments
        assert fragments is not None, "the library lets no message begin in its middle"
        limit = self._limits.request_fragments
        if 0 < limit <= len(fragments.parts):
            self._fail(CloseCode.POLICY, f"more than {limit} fragments")
            return
        try:
            fragments.add(bytes(frame.data), is_last=frame.fin)
        except UnicodeDecodeError as error:
            self._fail(CloseCode.INVALID_DATA, f"{error.reason} at byte {error.start}")
            return
        if frame.fin:
            self._fragments = None
            message = b"".join(fragments.parts)
            if fragments.opcode is Opcode.BINARY:
                self._speaker.receive_binary(message)
            else:
                self._speaker.receive_text(message)

    def _take_text(self, text: bytes) -> None:
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError as error:
                self._fail(CloseCode.INVALID_DATA, f"{error.reason} at byte {error.start}")
                return
        if self._speaker is not None:
            self._speaker.receive_text(text)

    def _count_control(self) -> None:
        limits = self._limits
        if self._controls is None:
            self._controls = TokenBucket(limits.requests_per_s, limits.requests_burst)
        if not self._controls.take(self._loop.time()):
            self.close(CloseCode.FLOODING, "too many pings or pongs")

    # Silence and the end.

    def look(self, now_s: float) -> None:
        """Ping a silent client, and cut one that stays silent. See `watching.Watched`."""
        limits = self._limits
        if not limits.ping_after_s:
            return
        silent_s = now_s - self._heard_s
        rest_s = limits.ping_after_s - silent_s
        if rest_s <= 0:
            if limits.pong_within_s and silent_s >= limits.ping_after_s + limits.pong_within_s:
                self._transport.abort()
                return
            rest_s = limits.pong_within_s - (silent_s - limits.ping_after_s)
            if self._protocol.state is OPEN:
                self._protocol.send_ping(b"")
                self._send()
        wait_s = rest_s if rest_s > 0 else limits.ping_after_s
        self._watched_at = self._door.watch.look_at(self, now_s + wait_s)

    def _look_no_more(self) -> None:
        self._door.watch.forget(self, self._watched_at)

    @property
    def waiting_bytes(self) -> int:
        """What the client has yet to read before it can be written more."""
        return self._speaker.waiting_bytes if self._speaker is not None else 0

    @property
    def is_owed(self) -> bool:
        """See `Connection`."""
        return self._speaker is not None and self._speaker.is_owed

    def was_let_in_by(self, key_id: str) -> bool:
        """See `Connection`."""
        if self._speaker is None or self._has_left:
            return False
        return key_id in self._speaker.key_ids

    def take_no_more(self) -> None:
        """See `Connection`."""
        if self._speaker is not None:
            self._speaker.take_no_more()

    def tell(self, answer: Answer) -> None:
        """See `Connection`."""
        if self._speaker is not None:
            self._speaker.tell(answer)

    def close(self, code: CloseCode, reason: str, within_s: float = CLOSE_WITHIN_S) -> None:
        """See `Connection`."""
        if self._transport.is_closing():
            return
        if self._speaker is not None:
            self._speaker.drain()
        self._leave()
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason)
            self._send()
        self._close_within(within_s)

    def abort(self) -> None:
        """See `Connection`."""
        self._transport.abort()

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Close because of what the client sent; `_send` does it."""
        self._is_listening = False
        self._protocol.fail(code, reason)

    def _leave(self) -> None:
        """Take and bring nothing more, whichever side ends it."""
        self._is_listening = False
        if self._speaker is not None and not self._has_left:
            self._has_left = True
            self._speaker.leave()

    def _close_within(self, seconds: float) -> None:
        self._look_no_more()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._transport.abort)

    def _send(self) -> None:
        """Write what the library has to say. Before its goodbye goes what is due."""
        for data in self._protocol.data_to_send():
            if data:
                if self._speaker is not None:
                    self._speaker.drain()
                self._transport.write(data)
            else:
                # The library's sign that our side ends here: what is buffered is still written. What
                # the client still sends is read and dropped: unread, it would have the kernel reset
                # the connection, and the client might never see why it was closed.
                self._leave()
                self._close_within(CLOSE_WITHIN_S)
                if self._transport.can_write_eof():
                    self._transport.write_eof()
                else:
                    self._transport.close()
        # Pongs are written past the outbox: to a client that pings and never reads they have a bound.
        limit = self._limits.queue_bytes_max
        if 0 < limit < self._transport.get_write_buffer_size() - WRITE_BUFFER_BYTES:
            self._transport.abort()
