"""The raw WebSocket door: one connection between a socket and a session (protocol §2, §3).

Handshake, masking, fragments and close rules are the `websockets` library's, without its I/O. What
is ours: frames that are built once and written to every reader, bounds, deadlines and goodbyes.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from jayx_stream.doors import Venue
from jayx_stream.doors.counts import DoorCounts, ending
from jayx_stream.doors.rates import Seat
from jayx_stream.doors.trading import StreamTrading, Trading
from jayx_stream.hub.outbox import Outbox
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.actions import (
    Close,
    Remember,
    Reply,
    Resume,
    Submit,
    Subscribe,
    Unsubscribe,
)
from jayx_stream.wire.limits import READ_BYTES, TokenBucket
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.push import Encoding
from jayx_stream.wire.session import Session

log = logging.getLogger("jayx_stream.websocket")

WRITE_BUFFER_BYTES = 65_536
"""Handed to the transport before pushes wait in the outbox."""

UNWANTED_BYTES_MAX = 16_384
"""Looked through for a client's goodbye after ours; the rest is dropped as it comes."""

CLOSE_WITHIN_S = 5.0
"""For the client to answer a close, before the connection is cut."""

REVOKED_WITHIN_S = 0.5
"""The same where a key was revoked: what it let in ends within a second (protocol §9)."""


def _frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)


ENVELOPED = Encoding(_frame, envelope=True)
BARE = Encoding(_frame, envelope=False)
"""For `/?envelope=none`: pushes are the documented payload alone."""


class WebSocketDoor:
    """All raw WebSocket connections; the listener's HTTP opens one for each upgrade."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.connections: set[WebSocketConnection] = set()
        """Those that are open."""
        self.counts = DoorCounts()
        self.trading = Trading(venue)

    def open(self, server_state: ServerState, seat: Seat) -> "WebSocketConnection":
        """Make the protocol of one connection; it leaves its seat when it ends."""
        return WebSocketConnection(self, server_state, seat)

    def revoke(self, key_id: str) -> int:
        """Close every connection that a key let in, and tell it nothing more; gives how many."""
        revoked = [each for each in self.connections if each.was_let_in_by(key_id)]
        for connection in revoked:
            reason = "the key was revoked"
            connection.close(CloseCode.KEY_REVOKED, reason, within_s=REVOKED_WITHIN_S)
        return len(revoked)

    def note_refusal(self, status: int, address: str) -> None:
        """A connection was refused with this HTTP status, here or before it came here."""
        self.counts.refused[status] += 1
        log.info("handshake refused", extra={"status": int(status), "address": address})


class WebSocketConnection(asyncio.Protocol):
    """One connection, from its upgrade request to its end."""

    def __init__(self, door: WebSocketDoor, server_state: ServerState, seat: Seat) -> None:
        self._door = door
        self._seat = seat
        self._address = seat.address
        self._venue = door.venue
        self._limits = door.venue.limits
        self._server_connections = cast("set[Any]", server_state.connections)
        self._loop = asyncio.get_running_loop()
        self._protocol = ServerProtocol(max_size=self._limits.request_bytes or None)
        self._controls = TokenBucket(self._limits.requests_per_s, self._limits.requests_burst)
        self._is_listening = False
        """Whether requests are taken: from the handshake until either side says goodbye."""
        self._has_left = False
        self._unwanted_bytes = 0
        self._fragments: list[bytes] = []
        self._heard_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._outbox: Outbox | None = None

    # What asyncio and uvicorn call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The upgrade request has been read; `data_received` will bring it."""
        self._server_connections.add(self)
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

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
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
                self._send()
            elif isinstance(event, Frame) and self._is_listening:
                self._receive(event)
        # Last: what came before a goodbye in the same bytes is still to be done.
        self._send()

    def eof_received(self) -> None:
        """The client sends no more."""
        self._protocol.receive_eof()
        self._send()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        if self._outbox is not None:
            self._outbox.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._outbox is not None:
            self._outbox.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, however it came."""
        self._server_connections.discard(self)
        if self in self._door.connections:
            self._door.connections.discard(self)
            self._note_end()
        if self._timer is not None:
            self._timer.cancel()
        self._seat.leave()
        self._leave()

    def _note_end(self) -> None:
        code, by = ending(self._protocol)
        self._door.counts.close(code, by)
        if by == "server" and code != CloseCode.GOING_AWAY:
            key_ids = ",".join(sorted(self._session.key_ids))
            fields = {"code": int(code), "address": self._address, "key_ids": key_ids}
            log.info("connection closed", extra={"door": "websocket", **fields})

    def shutdown(self) -> None:
        """The server ends now: called by uvicorn for whoever is still there after the drain."""
        self.close(CloseCode.GOING_AWAY, "the server is stopping")

    # The handshake.

    def _shake_hands(self, request: Request) -> None:
        response = self._refusal(request) or self._protocol.accept(request)
        self._protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._door.note_refusal(response.status_code, self._address)
            self._close_within(CLOSE_WITHIN_S)
            return
        self._door.counts.opened += 1
        query = parse_qs(urlsplit(request.path).query)
        self._encoding = BARE if query.get("envelope") == ["none"] else ENVELOPED
        self._outbox = Outbox(
            self._transport.write,
            self._give_up,
            self._encoding,
            queue_bytes=self._limits.queue_bytes,
            queue_bytes_max=self._limits.queue_bytes_max,
            counts=self._venue.hub.counts,
        )
        self._session = Session(
            self._venue.gate,
            self._venue.projections,
            self._limits,
            epoch=self._venue.epoch,
            address=self._address,
        )
        self._trading = StreamTrading(self._door.trading, self.tell)
        self._is_listening = True
        self._door.connections.add(self)
        self._wait_for_silence()

    def _refusal(self, request: Request) -> Response | None:
        reject = self._protocol.reject
        if request.path.partition("?")[0] != "/":
            return reject(HTTPStatus.NOT_FOUND, f"no stream at {request.path}; there is one at /\n")
        hosts = request.headers.get_all("Host")
        for origin in request.headers.get_all("Origin"):
            if not self._is_allowed(origin, hosts):
                return reject(HTTPStatus.FORBIDDEN, f"pages from {origin} may not connect\n")
        if self._venue.not_ready is not None:
            return reject(HTTPStatus.SERVICE_UNAVAILABLE, f"{self._venue.not_ready}\n")
        return None

    def _is_allowed(self, origin: str, hosts: list[str]) -> bool:
        own = origin.partition("://")[2]
        return origin in self._venue.origins or (own != "" and hosts == [own])

    # Messages.

    def _receive(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.BINARY:
                self._fail(CloseCode.UNSUPPORTED_DATA, "only text is spoken here")
            case Opcode.TEXT | Opcode.CONT:
                self._fragments.append(bytes(frame.data))
                limit = self._limits.request_fragments
                if 0 < limit < len(self._fragments):
                    self._fail(CloseCode.POLICY, f"more than {limit} fragments")
                elif frame.fin:
                    text = b"".join(self._fragments)
                    self._fragments.clear()
                    self._receive_text(text)
            case Opcode.PING | Opcode.PONG:
                if not self._controls.take(self._loop.time()):
                    self.close(CloseCode.FLOODING, "too many pings or pongs")
            case _:
                pass

    def _receive_text(self, text: bytes) -> None:
        assert self._outbox is not None, "a message came before the handshake"
        try:
            text.decode()
        except UnicodeDecodeError as error:
            self._fail(CloseCode.INVALID_DATA, f"{error.reason} at byte {error.start}")
            return
        hub, outbox = self._venue.hub, self._outbox
        now_s = self._loop.time()
        for action in self._session.receive(text, now_s=now_s, ts_ms=self._venue.time_ms()):
            if self._has_left:
                # An answer before this one was too much for the reader.
                return
            match action:
                case Reply():
                    outbox.reply(self._encoding.reply(action.answer))
                case Subscribe():
                    hub.subscribe(
                        outbox, action.channel, action.history, now_s=now_s, reset=action.reset
                    )
                case Resume():
                    hub.resume(outbox, action.channel, action.seq)
                case Unsubscribe():
                    hub.unsubscribe(outbox, action.channel)
                case Remember():
                    self._venue.submit(action.signature)
                case Submit():
                    self._trading.submit(action)
                case Close():
                    self.close(action.code, action.reason)
                    return

    # Silence and the end.

    def _wait_for_silence(self) -> None:
        """Ping a silent client, and cut one that stays silent."""
        limits = self._limits
        if not limits.ping_after_s:
            return
        silent_s = self._loop.time() - self._heard_s
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
        self._timer = self._loop.call_later(wait_s, self._wait_for_silence)

    @property
    def waiting_bytes(self) -> int:
        """What the client has yet to read before it can be written more."""
        return self._outbox.waiting_bytes if self._outbox is not None else 0

    @property
    def is_owed(self) -> bool:
        """Whether anything is still due to the client: something waits, or an order has no answer."""
        return self.waiting_bytes > 0 or self._trading.due > 0

    def was_let_in_by(self, key_id: str) -> bool:
        """Whether the client reads or trades by this key, and has not been told goodbye."""
        return not self._has_left and key_id in self._session.key_ids

    def take_no_more(self) -> None:
        """Leave what the client asks from now on undone and unanswered."""
        self._is_listening = False

    def tell(self, answer: Answer) -> None:
        """Send one message of the server's own."""
        if self._outbox is not None:
            self._outbox.reply(self._encoding.reply(answer))

    def close(self, code: CloseCode, reason: str, within_s: float = CLOSE_WITHIN_S) -> None:
        """Say goodbye with a code; cut the connection if the client doesn't answer in time."""
        if self._transport.is_closing():
            return
        self._leave()
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason)
            self._send()
        self._close_within(within_s)

    def abort(self) -> None:
        """Cut the connection without a goodbye."""
        self._transport.abort()

    def _give_up(self) -> None:
        limit = self._limits.queue_bytes_max
        self.close(CloseCode.SLOW_READER, f"more than {limit} bytes wait that may not be merged")

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Close because of what the client sent; `_send` does it."""
        self._is_listening = False
        self._protocol.fail(code, reason)

    def _leave(self) -> None:
        """Take and tell nothing more, whichever side ends it; and cancel, if a login asked for it."""
        self._is_listening = False
        if self._outbox is None or self._has_left:
            return
        self._has_left = True
        self._venue.hub.leave(self._outbox)
        self._outbox.close()
        self._trading.end(self._session.cancel_account)

    def _close_within(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._transport.abort)

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
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
