"""What carries an Engine.IO session's packets to its client: a WebSocket, or answers to polling.

Rule: no answer to polling is made before the last one has left, but for what the write buffer of its
connection holds; the rest waits in the outbox, which is bounded.
"""

import asyncio
from typing import Protocol
from weakref import proxy

from websockets.frames import Frame, Opcode

from jayx_stream.doors.counts import ABNORMAL, Side
from jayx_stream.doors.deflate import deflated_frame, text_frame
from jayx_stream.doors.speaking import CLOSE_WITHIN_S, WebSocket
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.engineio import CLOSE, NOOP, Breach, binary_of, join_payload
from jayx_stream.wire.limits import Limits, TokenBucket
from jayx_stream.wire.socketio import SocketEncoding

POLL_BYTES = 131_072
"""Of one answer, and perhaps one push more; what waits beyond that may still be merged. It is more than
a write buffer holds, so that a client that does not read is noticed.
"""

PACED = ("GET", "POST")
"""Methods of the requests that a session takes its time for."""


def frame_packet(packet: bytes) -> bytes:
    """A packet of ours as a WebSocket frame."""
    data = binary_of(packet)
    if data is None:
        return text_frame(packet)
    return Frame(Opcode.BINARY, data).serialize(mask=False)


FRAMES = SocketEncoding(frame_packet)
DEFLATED_FRAMES = SocketEncoding(frame_packet, deflating=deflated_frame)
"""For WebSocket, as `socketio.PACKETS` is for polling; the second for those who take compressed frames."""


def frames_for(connection: WebSocket) -> SocketEncoding:
    """The encoding of what goes over a connection."""
    return DEFLATED_FRAMES if connection.takes_deflated else FRAMES


class WebSocketCarrier:
    """A session's connection."""

    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection
        self.write = connection.write
        self.close = connection.close
        self.abort = connection.abort

    def send(self, packet: bytes) -> None:
        """Write a packet past what waits; there is one of these to a ping interval."""
        self._connection.write(frame_packet(packet))

    def end(self) -> None:
        """The client closed the session."""
        self._connection.close(CloseCode.NORMAL, "the client closed the session")


class Polled(Protocol):
    """The session that is polled, as far as its carrier sees it."""

    def pause(self) -> None:
        """Nobody asks for packets."""
        ...

    def resume(self) -> None:
        """Somebody asks for packets."""
        ...

    def gone(self, code: int, by: Side) -> None:
        """The session has no carrier any more; the close code, and who said it."""
        ...


class PollingCarrier:
    """The GETs and POSTs of one session."""

    def __init__(self, session: Polled, limits: Limits) -> None:
        # Whom it belongs to, and who has it: as a ring only the garbage collector would free them.
        self._session: Polled = proxy(session)
        self._paces = {
            method: TokenBucket(limits.requests_per_s, limits.requests_burst) for method in PACED
        }
        """Each by itself: what a client asks need not wait because much is pushed."""
        self._loop = asyncio.get_running_loop()
        self._urgent: list[bytes] = []
        """Packets of Engine.IO's own; they go ahead of all that waits, and are few."""
        self._due: list[bytes] = []
        self._due_bytes = 0
        self._asking: asyncio.Future[bytes] | None = None
        """Who asked and has no answer yet."""
        self._goodbye: asyncio.TimerHandle | None = None
        """Until when the client may still hear of the end."""
        self._ending: tuple[int, Side] = (ABNORMAL, "nobody")
        self._is_answering = False
        """From a GET to the moment when its answer has left."""
        self.is_posting = False
        self.is_released = False
        """Whether GETs are not to wait, because a WebSocket is about to take over."""
        self.is_over = False

    # What the session calls.

    def write(self, packets: bytes) -> None:
        """Answer with these, soon: others may come along."""
        if not self._due and self._asking is not None:
            self._loop.call_soon(self._answer)
        self._due.append(packets)
        self._due_bytes += len(packets)
        if self._due_bytes >= POLL_BYTES:
            self._session.pause()

    def send(self, packet: bytes) -> None:
        """Answer with this, past what waits."""
        self._urgent.append(packet)
        self._answer()

    def release(self) -> None:
        """Let no GET wait from now on."""
        self.is_released = True
        if self._asking is not None and not self._due:
            self.send(NOOP)

    def retire(self) -> list[bytes]:
        """Something else carries the session: gives what is to be sent ahead there."""
        if self._asking is not None:
            self.send(NOOP)
        self.is_over = True
        return self._urgent

    def end(self) -> None:
        """The client closed the session."""
        self._ending = (CloseCode.NORMAL, "client")
        self._finish(NOOP)

    def close(self, code: CloseCode, reason: str, within_s: float = CLOSE_WITHIN_S) -> None:
        """Tell the client that asks, or asks in time, that the session is closed. There are no words
        for why.
        """
        if self.is_over or self._goodbye is not None:
            return
        self._ending = (code, "server")
        if self._asking is not None:
            self._finish(CLOSE)
        else:
            self._urgent.append(CLOSE)
            self._goodbye = self._loop.call_later(within_s, self.abort)

    def fail(self) -> None:
        """Close the session because of what the client sent; it is told in the answer to that."""
        if self._goodbye is None:
            self._ending = (CloseCode.POLICY, "server")
        self._finish(CLOSE)

    def abort(self) -> None:
        """Close the session; only a client that asks already is told."""
        self._finish(CLOSE)

    # What the routes call.

    async def turn(self, method: str) -> None:
        """Wait until the client may have its next request answered. A client that asks for packets as
        fast as it can is not refused: it gets them more at a time.
        """
        pace = self._paces[method]
        while not pace.take(self._loop.time()):
            await asyncio.sleep(pace.wait_s(self._loop.time()))

    async def ask(self) -> bytes:
        """The packets of one answer, once there are any. Raises Breach, and then the session is over,
        if the last answer has not left yet.
        """
        if self._is_answering:
            self.fail()
            raise Breach("two GETs at once")
        self._is_answering = True
        self._asking = self._loop.create_future()
        asking = self._asking
        self._session.resume()
        if self._urgent or self._due:
            # Some may have been due when the last answer was made, and written after it.
            self._answer()
        elif self.is_released:
            self.send(NOOP)
        try:
            return await asking
        except asyncio.CancelledError:
            self.abort()
            raise

    def answered(self) -> None:
        """The answer has left."""
        self._is_answering = False
        if self._goodbye is not None and not self._urgent:
            # It has been said.
            self.abort()

    # Answers.

    def _answer(self) -> None:
        if self._asking is None or self._asking.done() or not (self._urgent or self._due):
            return
        packets = join_payload([*self._urgent, *self._due])
        self._urgent.clear()
        self._due.clear()
        self._due_bytes = 0
        self._asking.set_result(packets)
        self._asking = None
        self._session.pause()

    def _finish(self, last: bytes) -> None:
        if self.is_over:
            return
        self.is_over = True
        if self._goodbye is not None:
            self._goodbye.cancel()
        # Behind what is due: a client hears nothing after it.
        self._due.append(last)
        self._answer()
        self._session.gone(*self._ending)
