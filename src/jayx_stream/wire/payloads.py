"""Payloads of streams one after the other: what was told before is not encoded again.

Rule: byte for byte what `encode_payload` makes of the same view. What is kept of a stream goes with it.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.views import Level, Orderbook, PublicTrade, View
from jayx_stream.wire.channels import Channel, OrderbookChannel
from jayx_stream.wire.messages import BookPayload, OrderbookPush, encode, encode_payload

_ASKS, _BIDS, _TRADES, _END = encode(OrderbookPush(BookPayload((), ()), ())).split(b"[]")
"""What stands before each list of a book, and at the end."""


class BookText:
    """A book as text: its halves and its trades as they were told last."""

    __slots__ = (
        "_asks",
        "_asks_text",
        "_bids",
        "_bids_text",
        "_trade_id",
        "_trades",
        "_trades_text",
    )

    def __init__(self) -> None:
        self._asks: tuple[Level, ...] = ()
        self._bids: tuple[Level, ...] = ()
        self._trades: tuple[PublicTrade, ...] = ()
        self._trade_id = 0
        self._asks_text = self._bids_text = self._trades_text = b"[]"

    def payload(self, book: Orderbook) -> bytes:
        """The payload of a push. Costs the encoding of those that are others than the last time."""
        if book.asks is not self._asks:
            self._asks, self._asks_text = book.asks, encode(book.asks)
        if book.bids is not self._bids:
            self._bids, self._bids_text = book.bids, encode(book.bids)
        if book.trades is not self._trades:
            self._trades_text = self._text_of_trades(book.trades, book.trade_id)
            self._trades, self._trade_id = book.trades, book.trade_id
        asks, bids, trades = self._asks_text, self._bids_text, self._trades_text
        return b"".join((_ASKS, asks, _BIDS, bids, _TRADES, trades, _END))

    def _text_of_trades(self, trades: tuple[PublicTrade, ...], trade_id: int) -> bytes:
        """New ones before as many of the old as still belong to the last."""
        new = trade_id - self._trade_id
        kept = len(trades) - new
        if not 0 < new < len(trades) or trades[new:] != self._trades[:kept]:
            return encode(trades)
        old = self._trades_text[1:-1].rsplit(b",{", len(self._trades) - kept)[0]
        return b"%b,%b]" % (encode(trades[:new])[:-1], old)


class Payloads:
    """The texts of all streams. A stream's are kept while its channel is, which the hub holds for as long
    as anyone reads it.
    """

    def __init__(self) -> None:
        self._books: WeakKeyDictionary[OrderbookChannel, BookText] = WeakKeyDictionary()

    def __len__(self) -> int:
        """How many streams anything is kept of."""
        return len(self._books)

    def encode(self, channel: Channel, view: View, instruments: Mapping[str, Instrument]) -> bytes:
        """See `encode_payload`."""
        if not isinstance(channel, OrderbookChannel) or not isinstance(view, Orderbook):
            return encode_payload(view, instruments)
        text = self._books.get(channel)
        if text is None:
            text = self._books[channel] = BookText()
        return text.payload(view)
