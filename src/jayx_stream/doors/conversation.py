"""One client's session at work: what its requests ask for is done, whatever brings them.

Rule: all that the client gets goes through its outbox, in the order in which it was due.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

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


class Client(Protocol):
    """Whose conversation it is."""

    @property
    def venue(self) -> Venue:
        """Where it reads and trades."""
        ...

    @property
    def address(self) -> str:
        """From where it comes."""
        ...

    def close(self, code: CloseCode, reason: str) -> None:
        """Say goodbye, with a code and a reason."""
        ...


def outbox(
    write: Callable[[bytes], object], give_up: Callable[[], None], encoding: Encoding, venue: Venue
) -> Outbox:
    """An outbox with the bounds of protocol §10; `give_up` closes its reader, `too_slow`."""
    return Outbox(
        write,
        give_up,
        encoding,
        venue.hub.turn,
        queue_bytes=venue.limits.queue_bytes,
        queue_bytes_max=venue.limits.queue_bytes_max,
        counts=venue.hub.counts,
    )


def too_slow(venue: Venue) -> tuple[CloseCode, str]:
    """The goodbye to a reader whose outbox broke its last bound."""
    limit = venue.limits.queue_bytes_max
    return CloseCode.SLOW_READER, f"more than {limit} bytes wait that may not be merged"


class Conversation:
    """A client that makes requests, from its first to its last."""

    __slots__ = (
        "_client",
        "_has_left",
        "_is_listening",
        "_loop",
        "_outbox",
        "_session",
        "_trading",
        "_venue",
    )

    def __init__(self, outbox: Outbox, client: Client) -> None:
        venue = self._venue = client.venue
        self._outbox = outbox
        self._client = client
        self._is_listening = True
        self._has_left = False
        self._loop = asyncio.get_running_loop()
        self._session = Session(
            venue.gate, venue.projections, venue.limits, epoch=venue.epoch, address=client.address
        )
        self._trading: StreamTrading | None = None
        """From the first command on."""

    @property
    def key_ids(self) -> Collection[str]:
        """See `visitors.Visitor`."""
        return self._session.key_ids

    @property
    def is_owed(self) -> bool:
        """See `speaking.Connection`."""
        is_trading = self._trading is not None and self._trading.due > 0
        return is_trading or self._outbox.waiting_bytes > 0

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
                case Submit():
                    self._traded().submit(action)
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
                case Close():
                    self._client.close(action.code, action.reason)
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
        account = self._session.cancel_account
        if self._trading is not None or account is not None:
            self._traded().end(account)
            self._trading = None

    def _traded(self) -> StreamTrading:
        if self._trading is None:
            self._trading = StreamTrading(Trading(self._venue), self.tell)
        return self._trading
