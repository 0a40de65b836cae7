"""Views: what a watcher sees, still in integers. Immutable; `wire` turns them into the documented texts."""

from msgspec import Struct

from jayx_stream.model.order import OrderView, Side

INTERVALS_S = (60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800)
"""Kline intervals in seconds (protocol §4)."""

WEEK_S = 604800
TICKER_WINDOW_S = 86400
"""Whole minutes of so many seconds are told by a ticker, and the current one."""

_FIRST_MONDAY_S = 4 * 86400


def bucket_start_s(time_s: int, interval_s: int) -> int:
    """Start of the kline that `time_s` falls in: weeks from Monday 00:00 UTC, others from the epoch."""
    origin_s = _FIRST_MONDAY_S if interval_s == WEEK_S else 0
    return time_s - (time_s - origin_s) % interval_s


class Kline(Struct, frozen=True, array_like=True, gc=False):
    """Open, high, low and close in ticks, volume in lots, of one interval."""

    symbol: str
    interval_s: int
    created_s: int
    """Start of the interval, seconds since the epoch."""
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    lots: int
    """0: nothing traded yet, and all four prices are the close before."""
    modified_s: int
    """Time of the last trade, or `created_s`."""


class KlineTurn(Struct, frozen=True):
    """What a whole minute does to the klines of one symbol and interval."""

    closed: Kline
    """The one that ended, with all that was traded in it."""
    opened: tuple[Kline, ...]
    """Those that follow, oldest first, flat: the last is the current one, and the others closed
    as they are, since nobody traded in a pause."""


class KlineChange(Struct, frozen=True):
    """One push of a kline stream."""

    add: Kline | None
    modify: Kline | None


class Level(Struct, frozen=True, gc=False):
    """A price of the book. Field names and order are those of the user's document."""

    ticks: int
    lots: int
    count: int
    """Orders at the price."""


class PublicTrade(Struct, frozen=True, gc=False):
    """A trade as everyone sees it. Field names and order are those of the user's document."""

    lots: int
    ticks: int
    side: Side
    """The taker's."""
    created: int
    """Milliseconds since the epoch."""


class Orderbook(Struct, frozen=True):
    """The book's best levels and the last trades of a symbol."""

    asks: tuple[Level, ...]
    """Ascending."""
    bids: tuple[Level, ...]
    """Descending."""
    trades: tuple[PublicTrade, ...]
    """Newest first."""
    trade_id: int
    """Of the newest trade; 0 before the first."""


class Ticker(Struct, frozen=True, kw_only=True):
    """What was traded of a symbol within 24 hours, in whole minutes, and the best of its book now."""

    symbol: str
    last_ticks: int | None
    """Price of the last trade, however old; None before the first."""
    open_ticks: int | None
    """Price of the first trade within the 24 hours. None, as the next two: there was none."""
    high_ticks: int | None
    low_ticks: int | None
    lots: int
    cost: int
    """Σ lots × ticks, in tick·lots."""
    count: int
    """Trades."""
    first_trade_id: int | None
    """Of those within the 24 hours; None: there was none."""
    last_trade_id: int | None
    bid: Level | None
    """The best one; None: nobody bids."""
    ask: Level | None
    open_s: int
    """Start of the first of the 1440 whole minutes, seconds since the epoch."""
    close_s: int
    """End of the minute that comes after these, the current one."""


class Position(Struct, frozen=True, array_like=True, gc=False):
    """What an account owns of one asset, in its smallest unit."""

    asset: str
    balance_units: int
    available_units: int
    """What no open order reserves."""


class Positions(Struct, frozen=True):
    """Every asset that an account ever held, sorted by asset."""

    spot: tuple[Position, ...]


class OrderChanges(Struct, frozen=True):
    """What one commit did to an account's orders, in the order in which it happened."""

    cancel: tuple[OrderView, ...]
    modify: tuple[OrderView, ...]


View = KlineChange | Orderbook | Positions | OrderChanges
