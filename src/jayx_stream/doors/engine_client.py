"""One Engine.IO session at work: what carries it, what speaks on it, and when it ends.

Rule: which transport carries a session makes no difference to what speaks on it; a session that is over
is in no table any more.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection
from typing import Protocol

from jayx_stream.doors.carriers import PollingCarrier, WebSocketCarrier, frames_for
from jayx_stream.doors.conversation import outbox, too_slow
from jayx_stream.doors.counts import Side
from jayx_stream.doors.rates import Seat
from jayx_stream.doors.speaking import CLOSE_WITHIN_S, WebSocket
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.visitors import Visitors
from jayx_stream.doors.watching import NEVER
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.engineio import (
    BinaryMessage,
    Breach,
    End,
    EngineSession,
    Message,
    Send,
    Terms,
    Transport,
    binary_packet,
)
from jayx_stream.wire.limits import TokenBucket
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.socketio import PACKETS

SID_BYTES = 16
"""Of chance in a session's name: who knows it, has the session."""


class Application(Protocol):
    """What speaks on a session."""

    takes_binary: bool

    @property
    def key_ids(self) -> Collection[str]:
        """See `visitors.Visitor`."""
        ...

    @property
    def is_owed(self) -> bool:
        """Whether anything that the client asked for has no answer yet."""
        ...

    def receive(self, text: bytes) -> None:
        """A text message; it is UTF-8. Raises Breach."""
        ...

    def receive_binary(self, data: bytes) -> None:
        """A binary message. Raises Breach."""
        ...

    def tell(self, answer: Answer) -> None:
        """Send one message of the server's own."""
        ...

    def leave(self) -> None:
        """The session is over. It may be called again."""
        ...


class Engine:
    """What all sessions at one path have in common."""

    def __init__(
        self,
        websockets: WebSocketDoor,
        begin: Callable[["EngineClient"], Application],
        terms: Terms,
        name: str,
    ) -> None:
        """`begin` makes what speaks on a session; for `name` see `Visitors`."""
        self.visitors = Visitors(name)
        self.websockets = websockets
        self.venue = websockets.venue
        self.begin = begin
        self.terms = terms
        self.sessions: dict[str, EngineClient] = {}
        """Those that are open, by their secret name."""


class EngineClient:
    """One session and what carries it. Over WebSocket it is the connection's speaker, over polling a
    connection of its own.
    """

    watches_silence = True
    takes_binary = False

    def __init__(self, door: Engine, place: WebSocket | Seat) -> None:
        """`place`: the connection; or, if it is polled, a seat among the connections of its address."""
        self._door = door
        self.venue = door.venue
        self.address = place.address
        limits = self.venue.limits
        self._loop = asyncio.get_running_loop()
        self._controls = TokenBucket(limits.requests_per_s, limits.requests_burst)
        self._watched_at = NEVER
        """The tick at which the watch looks what is due."""
        self._is_listening = True
        self._has_left = False
        self._is_ended_by_client = False
        self.probing: WebSocket | None = None
        """The WebSocket that wants to take over."""
        self.polled: PollingCarrier | None = None
        """Who carries it, as long as it is polled."""
        self._seat: Seat | None = None
        self._carrier: WebSocketCarrier | PollingCarrier
        if isinstance(place, Seat):
            self._seat = place
            self.polled = self._carrier = PollingCarrier(self, limits)
            transport, self._encoding = Transport.POLLING, PACKETS
        else:
            self._carrier = WebSocketCarrier(place)
            transport, self._encoding = Transport.WEBSOCKET, frames_for(place)
        sid = secrets.token_urlsafe(SID_BYTES)
        self.engine = EngineSession(sid, door.terms, transport, self._loop.time())
        self.outbox = outbox(self._carrier.write, self.give_up, self._encoding, self.venue)
        if isinstance(place, Seat):
            self.outbox.pause()
        else:
            self.outbox.reach(place.descriptor)

    # What carries it calls.

    def begin(self) -> None:
        """Open the session."""
        self._application = self._door.begin(self)
        self.takes_binary = self._application.takes_binary
        self._door.sessions[self.engine.sid] = self
        self._door.visitors.enter(self)
        if self.polled is not None:
            self._door.websockets.connections.add(self)
        self._carrier.send(self.engine.opening())
        self._wait()

    def receive_text(self, text: bytes) -> None:
        """A packet that came over the WebSocket."""
        try:
            self.receive(text)
        except Breach as breach:
            self.close(CloseCode.POLICY, str(breach))

    def receive_binary(self, data: bytes) -> None:
        """A binary message that came over the WebSocket."""
        try:
            self._application.receive_binary(data)
        except Breach as breach:
            self.close(CloseCode.POLICY, str(breach))

    def pause(self) -> None:
        """The client reads slower than we write."""
        self.outbox.pause()

    def resume(self) -> None:
        """The client has caught up."""
        self.outbox.resume()

    def drain(self) -> None:
        """See `speaking.Speaker`."""
        self.outbox.drain()

    def leave(self) -> None:
        """Nothing is taken or brought any more, however that came."""
        if self._has_left:
            return
        self._has_left = True
        self.engine.end()
        self._door.websockets.watch.forget(self, self._watched_at)
        if self.probing is not None:
            self.probing.close(CloseCode.POLICY, "the session is over")
        self._application.leave()
        self.outbox.close()
        if self.polled is None:
            del self._door.sessions[self.engine.sid]

    def gone(self, code: int, by: Side) -> None:
        """The session has no carrier any more."""
        self.leave()
        if self.polled is not None:
            del self._door.sessions[self.engine.sid]
            self._give_seat_up()
        self._door.visitors.leave(self, code, "client" if self._is_ended_by_client else by)

    def _give_seat_up(self) -> None:
        assert self._seat is not None, "a session that is polled has a seat of its own"
        self._door.websockets.connections.discard(self)
        self._seat.leave()

    # What everyone calls.

    @property
    def waiting_bytes(self) -> int:
        """See `visitors.Visitor`."""
        return self.outbox.waiting_bytes

    @property
    def key_ids(self) -> Collection[str]:
        """See `visitors.Visitor`."""
        return self._application.key_ids

    @property
    def is_owed(self) -> bool:
        """See `Connection`."""
        return self.waiting_bytes > 0 or self._application.is_owed

    def was_let_in_by(self, key_id: str) -> bool:
        """See `Connection`."""
        return not self._has_left and key_id in self.key_ids

    def take_no_more(self) -> None:
        """See `Connection`. Pongs are taken: the session goes on."""
        self._is_listening = False

    def receive(self, packet: bytes) -> None:
        """Take one packet of the client in. Raises Breach."""
        match self.engine.receive(packet, self._loop.time()):
            case Message(data):
                if self._is_listening:
                    self._application.receive(data)
            case BinaryMessage(data):
                if not self.takes_binary:
                    raise Breach("only text is spoken here")
                self._application.receive_binary(data)
            case End():
                self._is_ended_by_client = True
                self._carrier.end()
            case _:
                self.count_control()
                self._wait()

    def count_control(self) -> None:
        """Count a packet that is no request, and that no other rate bounds."""
        if not self._controls.take(self._loop.time()):
            self.close(CloseCode.FLOODING, "too many packets that ask for nothing")

    def send(self, packet: bytes) -> None:
        """Have a packet written when it is due."""
        self.outbox.reply(self._encoding.frame(packet))

    def send_binary(self, data: bytes) -> None:
        """Have a binary message written when it is due."""
        self.send(binary_packet(data))

    def tell(self, answer: Answer) -> None:
        """See `Connection`."""
        self._application.tell(answer)

    def close(self, code: CloseCode, reason: str, within_s: float = CLOSE_WITHIN_S) -> None:
        """See `Connection`."""
        self.drain()
        self.leave()
        self._carrier.close(code, reason, within_s)

    def abort(self) -> None:
        """See `Connection`."""
        self.leave()
        self._carrier.abort()

    def give_up(self) -> None:
        """Say goodbye to a client who reads too slowly."""
        self.close(*too_slow(self.venue))

    def look(self, now_s: float) -> None:
        """Do what is due by now: ping a client, and end the session of one who is silent."""
        match self.engine.tick(now_s):
            case Send(packet):
                self._carrier.send(packet)
            case End():
                self.abort()
                return
            case None:
                pass
        self._wait()

    def _wait(self) -> None:
        watch = self._door.websockets.watch
        watch.forget(self, self._watched_at)
        if not self.engine.is_over:
            self._watched_at = watch.look_at(self, self.engine.next_s)

    def probe_failed(self) -> None:
        """The WebSocket that wanted to take over is gone; all is as it was before."""
        self.probing = None
        self.engine.is_probed = False
        if self.polled is not None:
            self.polled.is_released = False

    def switch(self, connection: WebSocket) -> None:
        """From now on the WebSocket carries the session; whoever waits for a packet has one."""
        assert self.polled is not None, "the session is on a WebSocket already"
        ahead = self.polled.retire()
        self.polled, self.probing = None, None
        self._carrier, self._encoding = WebSocketCarrier(connection), frames_for(connection)
        self._give_seat_up()
        connection.hand_over(self)
        for packet in ahead:
            self._carrier.send(packet)
        encoding = self._encoding
        self.venue.hub.switch(
            self.outbox, connection.write, encoding, encoding.reframe, connection.descriptor
        )
        if not connection.is_behind:
            self.outbox.resume()
