"""The resting orders of one instrument, in price-time order. Rule: it never crosses itself.

A half keeps its prices as ranks, which grow as prices get better: a bid's rank is its ticks, an
ask's is minus its ticks. So the best price is the last of a sorted list in both halves, and
taking from the top of the book moves nothing.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator

from jayx_stream.model.order import Order, Side


class Level:
    """The orders at one price, oldest first."""

    __slots__ = ("lots", "orders", "ticks")

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self.lots = 0
        self.orders: OrderedDict[int, Order] = OrderedDict()
        """By order id. An ordered dict, since a plain one gets slow when eaten from the front."""


class HalfBook:
    """Bids or asks."""

    __slots__ = ("_levels", "_sign", "ranks")

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self.ranks: list[int] = []
        """Those that have a level, best last."""
        self._levels: dict[int, Level] = {}

    def best(self) -> Level | None:
        """The level that an incoming order meets first."""
        return self._levels[self.ranks[-1]] if self.ranks else None

    def rank(self, ticks: int) -> int:
        """How good a price is, here."""
        return ticks * self._sign

    def level(self, rank: int) -> Level:
        """One that is there."""
        return self._levels[rank]

    def levels(self) -> Iterator[Level]:
        """All levels, best first."""
        for rank in reversed(self.ranks):
            yield self._levels[rank]

    def add(self, order: Order) -> None:
        """Put an order behind all others at its price."""
        rank = order.limit_ticks * self._sign
        level = self._levels.get(rank)
        if level is None:
            level = self._levels[rank] = Level(order.limit_ticks)
            insort(self.ranks, rank)
        level.orders[order.order_id] = order
        level.lots += order.remaining_lots
        check_level(level, order)

    def reduce(self, order: Order, lots: int) -> None:
        """Take `lots` of an order that was filled by them, or canceled; a closed order leaves."""
        rank = order.limit_ticks * self._sign
        level = self._levels[rank]
        level.lots -= lots
        if order.remaining_lots == 0:
            del level.orders[order.order_id]
        check_level(level, order)
        if not level.orders:
            del self._levels[rank]
            if self.ranks[-1] == rank:
                self.ranks.pop()
            else:
                del self.ranks[bisect_left(self.ranks, rank)]


def check_level(level: Level, order: Order) -> None:
    """Assert what can be seen at once of: a level's lots are its orders'. Each of those beside
    the one that changed has a lot or more; with none beside it, its lots are all.
    """
    remaining_lots = order.remaining_lots
    others = len(level.orders) - (1 if remaining_lots else 0)
    rest = level.lots - remaining_lots
    assert rest >= others if others else rest == 0, (
        f"level lots = its orders': {level.lots} at {level.ticks}, {remaining_lots} are "
        f"order {order.order_id}'s, {others} are beside it"
    )


class Book:
    """Both halves."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = HalfBook(Side.BUY)
        self.asks = HalfBook(Side.SELL)

    def half(self, side: Side) -> HalfBook:
        """The half that orders of this side rest in."""
        return self.bids if side is Side.BUY else self.asks

    def opposite(self, side: Side) -> HalfBook:
        """The half that an incoming order of this side meets."""
        return self.asks if side is Side.BUY else self.bids

    def check_not_crossed(self, symbol: str) -> None:
        """Assert that the best bid is below the best ask."""
        bids, asks = self.bids.ranks, self.asks.ranks
        # An ask's rank is minus its ticks.
        if bids and asks:
            assert bids[-1] + asks[-1] < 0, f"the book of {symbol} is crossed"
