"""The public order book of one symbol: lots and orders at each price.

What changes is remembered for the groupings that somebody asks for, and taken in by them when he asks again.
"""

from bisect import bisect_left, insort

from jayx_stream.model.order import Side
from jayx_stream.model.units import COUNT_MAX
from jayx_stream.model.views import Level
from jayx_stream.projections.grouping import PRICES_PER_CHANGE, Grouping, PriceLevel, RankChange

TOUCHED_MAX = 1024
"""Prices whose changes are kept for whoever asks next."""

UNASKED_MAX = 64
"""A grouping is let go after so many times at which others were asked for, and it was not."""


class BookHalf:
    """Bids or asks. Ranks grow as prices get better, so that the best is last."""

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self._ranks: list[int] = []
        self._levels: dict[int, PriceLevel] = {}
        self._groupings: dict[int, Grouping] = {}
        """By width in ticks, those that somebody asks for."""
        self._touched: dict[int, tuple[int, int]] = {}
        """By rank: the lots and orders that the groupings know of, if they may be others by now."""
        self._touched_max = 0
        self._watched_from = 0
        """Changes at lower ranks concern no grouping."""

    def add(self, ticks: int, lots: int) -> None:
        """One more order of `lots` at `ticks`."""
        rank = ticks * self._sign
        level = self._levels.get(rank)
        if level is None:
            insort(self._ranks, rank)
            level = self._levels[rank] = PriceLevel()
        if self._groupings and rank >= self._watched_from:
            self._touch(rank, level)
        level.lots += lots
        level.count += 1

    def reduce(self, ticks: int, lots: int, *, gone: bool) -> None:
        """`lots` less at `ticks`; `gone` if the order that held them is closed by it."""
        rank = ticks * self._sign
        level = self._levels[rank]
        if self._groupings and rank >= self._watched_from:
            self._touch(rank, level)
        level.lots -= lots
        if not gone:
            return
        level.count -= 1
        if level.count == 0:
            assert level.lots == 0, f"{level.lots} lots at {ticks} without an order"
            del self._levels[rank]
            del self._ranks[bisect_left(self._ranks, rank)]

    def best(self) -> Level | None:
        """The level that an incoming order would meet first."""
        if not self._ranks:
            return None
        rank = self._ranks[-1]
        level = self._levels[rank]
        return Level(rank * self._sign, level.lots, level.count)

    def levels(self, precise: int, depth: int) -> tuple[Level, ...]:
        """The best `depth` levels, best first, each `precise` ticks wide (protocol §5). Costs what
        changed since they were last asked for.
        """
        if self._touched:
            self._tell_groupings()
        grouping = self._groupings.get(precise)
        if grouping is None:
            if not self._groupings:
                self._touched_max, self._watched_from = 0, COUNT_MAX
            grouping = self._groupings[precise] = Grouping(precise, self._sign)
        levels = grouping.best(depth, self._ranks, self._levels)
        self._watched_from = min(grouping.watched_from, self._watched_from)
        worth = min(grouping.prices // PRICES_PER_CHANGE, TOUCHED_MAX)
        self._touched_max = max(worth, self._touched_max)
        return levels

    def _touch(self, rank: int, level: PriceLevel) -> None:
        """Remember what stands at a rank before it changes. After too many of them it is faster to
        group anew, or nobody asks.
        """
        if rank not in self._touched:
            if len(self._touched) >= self._touched_max:
                self._groupings.clear()
                self._touched.clear()
            else:
                self._touched[rank] = level.lots, level.count

    def _tell_groupings(self) -> None:
        changes: list[RankChange] = []
        for rank, (lots, count) in self._touched.items():
            level = self._levels.get(rank)
            if level is None:
                changes.append((rank, -lots, -count))
            elif level.lots != lots or level.count != count:
                changes.append((rank, level.lots - lots, level.count - count))
        self._touched.clear()
        for precise, grouping in tuple(self._groupings.items()):
            if grouping.unasked == UNASKED_MAX:
                del self._groupings[precise]
            else:
                grouping.follow(changes)


class SymbolBook:
    """Both halves."""

    def __init__(self) -> None:
        self.bids = BookHalf(Side.BUY)
        self.asks = BookHalf(Side.SELL)

    def half(self, side: Side) -> BookHalf:
        """The half that orders of this side rest in."""
        return self.bids if side is Side.BUY else self.asks
