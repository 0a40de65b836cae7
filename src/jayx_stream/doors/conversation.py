"""One client's session at work: what its requests ask for is done, whatever brings them.

Rule: all that the client gets goes through its outbox, in the order in which it was due.
"""

import asyncio
from collections.abc import Callable

from jayx_stream.doors import Venue
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
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.push import Encoding
from jayx_stream.wire.session import Session

CloseCall = Callable[[CloseCode, str], None]
"""Says goodbye to the client, with a code and a reason."""


def outbox(
    write: Callable[[bytes], object], close: CloseCall, encoding: Encoding, venue: Venue
) -> Outbox:
    """An outbox with the bounds of protocol §10; its reader is closed when it breaks the last one."""
    limits = venue.limits

    def give_up() -> None:
        limit = limits.queue_bytes_max
        close(CloseCode.SLOW_READER, f"more than {limit} bytes wait that may not be merged")

    return Outbox(
        write,
        give_up,
        encoding,
        venue.hub.turn,
        queue_bytes=limits.queue_bytes,
        queue_bytes_max=limits.queue_bytes_max,
        counts=venue.hub.counts,
    )


class Conversation:
    """A client that makes requests, from its first to its last."""

    def __init__(self, venue: Venue, outbox: Outbox, address: str, close: CloseCall) -> None:
        self._venue = venue
        self._outbox = outbox
        self._close = close
        self._is_listening = True
        self._has_left = False
        self._loop = asyncio.get_running_loop()
        self._session = Session(
            venue.gate, venue.projections, venue.limits, epoch=venue.epoch, address=address
        )
        self._trading = StreamTrading(Trading(venue), self.tell)
        self.key_ids = self._session.key_ids

    @property
    def is_owed(self) -> bool:
        """See `speaking.Connection`."""
        return self._outbox.waiting_bytes > 0 or self._trading.due > 0

    def receive(self, text: bytes) -> None:
        """Do what one message asks for."""
        if not self._is_listening:
            return
        hub, outbox = self._venue.hub, self._outbox
        now_s = self._loop.time()
        for action in self._session.receive(text, now_s=now_s, ts_ms=self._venue.time_ms()):
            if self._has_left:
                # An answer before this one was too much for the reader.
                return
            match action:
                case Reply():
                    self.tell(action.answer)
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
                    self._close(action.code, action.reason)
                    return

    def take_no_more(self) -> None:
        """See `speaking.Connection`."""
        self._is_listening = False

    def tell(self, answer: Answer) -> None:
        """Send one message that is no push."""
        self._outbox.reply(self._outbox.encoding.reply(answer))

    def leave(self) -> None:
        """The client reads and asks nothing any more; its orders are canceled, if a login asked for
        that. It may be called again.
        """
        if self._has_left:
            return
        self._is_listening, self._has_left = False, True
        self._venue.hub.leave(self._outbox)
        self._trading.end(self._session.cancel_account)
