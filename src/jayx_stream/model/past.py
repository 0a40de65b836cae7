"""What is over, as history keeps it: immutable, in integers, made from one commit and never changed."""

from msgspec import Struct

from jayx_stream.model.order import OrderView, Side
from jayx_stream.model.views import Kline, Position

PAGE_MAX = 1000
"""Rows that one question may ask for."""


class Trade(Struct, frozen=True, gc=False):
    """A trade with both its sides."""

    symbol: str
    trade_id: int
    """Consecutive within the symbol, from 1."""
    side: Side
    """The taker's."""
    lots: int
    ticks: int
    time_ns: int
    seq: int
    maker_order_id: int
    taker_order_id: int
    maker: str
    """The account whose order rested."""
    taker: str
    maker_fee_units: int
    """In units of the asset that the maker receives."""
    taker_fee_units: int

    def fill(self, number: int, *, is_maker: bool) -> "Fill":
        """The trade as one of its sides sees it; `number` is the trade's in the venue."""
        sides = (Side.BUY, Side.SELL)
        return Fill(
            number,
            self.trade_id,
            self.maker_order_id if is_maker else self.taker_order_id,
            self.symbol,
            sides[(self.side is Side.BUY) == is_maker],
            self.lots,
            self.ticks,
            self.maker_fee_units if is_maker else self.taker_fee_units,
            is_maker,
            self.time_ns,
            self.seq,
        )


class Fill(Struct, frozen=True, gc=False):
    """A trade, seen from one of its orders."""

    number: int
    """Of the trade among all trades of the venue, from 1, in the order in which they happened."""
    trade_id: int
    order_id: int
    symbol: str
    side: Side
    """The order's."""
    lots: int
    ticks: int
    fee_units: int
    """In units of the asset that the order's owner receives."""
    is_maker: bool
    time_ns: int
    seq: int


class AccountChange(Struct, frozen=True):
    """What one commit did to one account."""

    account: str
    seq: int
    orders: tuple[OrderView, ...]
    """Each order that changed, once, as it stood after the commit; in the order of first change."""
    positions: tuple[Position, ...] | None
    """All of the account's, sorted by asset, if any changed."""


class Rows(Struct, frozen=True):
    """All that history keeps of one commit."""

    seq: int
    klines: tuple[Kline, ...] = ()
    """Those that closed and were traded in; a flat one is told by those around it."""
    trades: tuple[Trade, ...] = ()
    changes: tuple[AccountChange, ...] = ()

    @property
    def count(self) -> int:
        """How much there is to write."""
        changed = sum(len(change.orders) + 1 for change in self.changes)
        return 1 + len(self.klines) + len(self.trades) + changed


class Page(Struct, frozen=True):
    """Which of many rows: those of greater id first, at most `limit`. With `after` the page next to
    it, else the newest; whatever is None does not bound.
    """

    limit: int
    before: int | None = None
    """Ids below it."""
    after: int | None = None
    """Ids above it."""
    from_ms: int | None = None
    """Made at or after this time, milliseconds since the epoch."""
    to_ms: int | None = None
    """Made at or before it."""


class KlineRange(Struct, frozen=True):
    """Which klines of a series: the `limit` oldest of those that start within, or the newest."""

    symbol: str
    interval_s: int
    from_s: int | None
    to_s: int
    limit: int
    newest: bool
