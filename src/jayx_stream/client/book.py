"""A replica of a book, kept by the pushes of `orderbook`, whole ones and changes (protocol §5).

Rule: it is the book that the server told, exactly, or it is nothing: never a book with a hole in it.
"""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Struct, UnsetType

from jayx_stream.model.views import Level, Orderbook
from jayx_stream.wire.channels import PUSHED_TRADES
from jayx_stream.wire.delta import book_checksum
from jayx_stream.wire.messages import OrderbookPush


class BookEnvelope(Struct, frozen=True):
    """As much of the envelope as a replica needs; the rest is passed over."""

    seq: int
    trade: int = 0
    prev: int | UnsetType = UNSET
    """Unset: the push is a whole state."""
    checksum: int | UnsetType = UNSET


class BookGap(Exception):
    """What is held and what was told don't fit; subscribe again."""


class BookReplica:
    """The book of one stream. `apply` its pushes in the order in which they come."""

    def __init__(self) -> None:
        self.seq = 0
        """Of the last push applied."""
        self.view: Orderbook | None = None
        """What the server's book was at `seq`; None before the first whole state and after a gap."""

    def apply_text(self, text: str | bytes) -> bool:
        """Apply a push as it came from the raw WebSocket. See `apply`."""
        envelope = msgspec.json.decode(text, type=BookEnvelope)
        message = msgspec.json.decode(text, type=_Push).message
        return self.apply(message, envelope)

    def apply(self, message: OrderbookPush, envelope: BookEnvelope) -> bool:
        """Take one push in; whether the book is known now. A whole state replaces what was held.

        Raises BookGap, once, if a change does not follow on what is held, or if the checksum is not
        that of the result: then nothing is held, and changes are passed over, until a whole state
        comes, as it does after subscribing again.
        """
        held, self.view = self.view, None
        if envelope.prev is UNSET:
            book = message.order_book
            view = Orderbook(book.asks, book.bids, message.trades, envelope.trade)
        elif held is None:
            return False
        elif envelope.prev != self.seq:
            raise BookGap(f"a change after {envelope.prev} came, the last was {self.seq}")
        else:
            view = _changed(held, message, envelope.trade)
        if envelope.checksum is not UNSET and book_checksum(view) != envelope.checksum:
            raise BookGap(f"the book at {envelope.seq} has not the checksum {envelope.checksum}")
        self.view, self.seq = view, envelope.seq
        return True


class _Push(Struct):
    message: OrderbookPush


def _changed(held: Orderbook, change: OrderbookPush, trade_id: int) -> Orderbook:
    asks = _half(held.asks, change.order_book.asks)
    bids = _half(held.bids, change.order_book.bids)
    return Orderbook(
        asks=tuple(asks[ticks] for ticks in sorted(asks)),
        bids=tuple(bids[ticks] for ticks in sorted(bids, reverse=True)),
        trades=(change.trades + held.trades)[:PUSHED_TRADES],
        trade_id=trade_id,
    )


def _half(held: Iterable[Level], changes: Iterable[Level]) -> dict[int, Level]:
    levels = {level.ticks: level for level in held}
    for level in changes:
        if level.lots:
            levels[level.ticks] = level
        else:
            levels.pop(level.ticks, None)
    return levels
