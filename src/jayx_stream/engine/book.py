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

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self.ranks: list[int] = []
        """Those that have a level, best last."""
        self._levels: dict[int, Level] = {}

    def best(self) -> Level | None:
        """The level that an incoming order meets first."""
        return self._levels[self.ranks[-1]] if self.ranks else None

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
        self._check(level, order)

    def reduce(self, order: Order, lots: int) -> None:
        """Take `lots` of an order that was filled by them, or canceled; a closed order leaves."""
        rank = order.limit_ticks * self._sign
        level = self._levels[rank]
        level.lots -= lots
        if not order.is_open:
            del level.orders[order.order_id]
        self._check(level, order)
        if not level.orders:
            del self._levels[rank]
            del self.ranks[bisect_left(self.ranks, rank)]

    @staticmethod
    def _check(level: Level, order: Order) -> None:
        """Assert what can be seen at once of: a level's lots are its orders'. Each of those beside
        the one that changed has a lot or more; with none beside it, its lots are all.
        """
        others = len(level.orders) - order.is_open
        rest = level.lots - order.remaining_lots
        assert rest >= others if others else rest == 0, (
            f"level lots = its orders': {level.lots} at {level.ticks}, {order.remaining_lots} are "
            f"order {order.order_id}'s, {others} are beside it"
        )


class Book:
    """Both halves."""

    def __init__(self) -> None:
        self._bids = HalfBook(Side.BUY)
        self._asks = HalfBook(Side.SELL)

    def half(self, side: Side) -> HalfBook:
        """The half that orders of this side rest in."""
        return self._bids if side is Side.BUY else self._asks

    def opposite(self, side: Side) -> HalfBook:
        """The half that an incoming order of this side meets."""
        return self._asks if side is Side.BUY else self._bids

    def check_not_crossed(self, symbol: str) -> None:
        """Assert that the best bid is below the best ask."""
        bids, asks = self._bids.ranks, self._asks.ranks
        # An ask's rank is minus its ticks.
        if bids and asks:
            assert bids[-1] + asks[-1] < 0, f"the book of {symbol} is crossed"
