"""Levels as wide as asked for, kept for whoever asks next.

Rule: what was told is grouped again only where it changed, unless much of it did. Levels of which none
changed are the same tuple.
"""

from bisect import bisect_left, bisect_right
from itertools import islice

from jayx_stream.model.units import COUNT_MAX
from jayx_stream.model.views import Level

PRICES_PER_CHANGE = 6
"""So many are grouped anew in the time in which one change is followed."""

RankChange = tuple[int, int, int]
"""A rank, and the lots and orders that are more there now; less, if negative."""


class PriceLevel:
    """The orders at one price."""

    __slots__ = ("count", "lots")

    def __init__(self) -> None:
        self.lots = 0
        self.count = 0


class Grouping:
    """The best levels of a half at one width, as many as were asked for, without a gap. What it is
    given of the half, ranks and levels, is as the half has them.
    """

    __slots__ = (
        "_depth",
        "_groups",
        "_is_whole",
        "_levels",
        "_precise",
        "_sign",
        "_told",
        "prices",
        "unasked",
    )

    def __init__(self, precise: int, sign: int) -> None:
        # Floor division of a rank rounds away from the other half: bids down, asks up.
        self._precise = precise
        self._sign = sign
        self._groups: list[int] = []
        """Ranks divided by the width, the best last."""
        self._levels: list[Level] = []
        """Of each of them."""
        self._is_whole = False
        """Whether there are no others."""
        self._depth = 0
        """The most levels that were asked for: no more are kept."""
        self._told: dict[int, tuple[Level, ...]] = {}
        """By depth, what still holds."""
        self.prices = 0
        """How many were grouped."""
        self.unasked = 0
        """How often it followed changes since it was asked."""

    @property
    def watched_from(self) -> int:
        """Changes at lower ranks don't concern it, once it was asked."""
        return -COUNT_MAX if self._is_whole else self._groups[0] * self._precise

    def best(
        self, depth: int, ranks: list[int], prices: dict[int, PriceLevel]
    ) -> tuple[Level, ...]:
        """The best `depth` levels, best first."""
        self.unasked = 0
        told = self._told.get(depth)
        if told is None:
            self._depth = max(depth, self._depth)
            more = depth - len(self._levels)
            if more > 0 and not self._is_whole:
                extend = self._extend_by_prices if self._precise == 1 else self._extend
                extend(more, ranks, prices)
            told = self._told[depth] = tuple(self._levels[: -depth - 1 : -1])
        return told

    def follow(self, changes: list[RankChange]) -> None:
        """Take in what changed in the half."""
        self.unasked += 1
        if PRICES_PER_CHANGE * len(changes) > self.prices or not self._groups:
            self._forget()
            return
        groups, changed = self._groups, self._by_group(changes)
        best: int | None = None
        for group, (lots, count) in changed.items():
            if lots or count:
                self._change(group, lots, count)
                best = group if best is None else max(best, group)
        if best is None:
            return
        unchanged = len(groups) - bisect_right(groups, best)
        for depth in tuple(self._told):
            if depth > unchanged:
                del self._told[depth]
        if len(groups) > self._depth:
            del groups[: -self._depth], self._levels[: -self._depth]
            self._is_whole = False

    def _by_group(self, changes: list[RankChange]) -> dict[int, tuple[int, int]]:
        """More lots and orders by group, of those groups that it has to know."""
        precise, worst = self._precise, self._groups[0]
        changed: dict[int, tuple[int, int]] = {}
        for rank, lots, count in changes:
            group = rank // precise
            if group >= worst or self._is_whole:
                before = changed.get(group)
                if before is None:
                    changed[group] = lots, count
                else:
                    changed[group] = before[0] + lots, before[1] + count
        return changed

    def _change(self, group: int, lots: int, count: int) -> None:
        groups, levels = self._groups, self._levels
        at = bisect_left(groups, group)
        if at == len(groups) or groups[at] != group:
            assert lots > 0, f"{lots} lots of {count} orders where none were"
            groups.insert(at, group)
            levels.insert(at, Level(group * self._precise * self._sign, lots, count))
            return
        level = levels[at]
        lots += level.lots
        count += level.count
        if count:
            levels[at] = Level(level.ticks, lots, count)
        else:
            assert lots == 0, f"{lots} lots at {level.ticks} without an order"
            del groups[at], levels[at]

    def _forget(self) -> None:
        self._groups.clear()
        self._levels.clear()
        self._told.clear()
        self._is_whole = False

    def _extend_by_prices(self, more: int, ranks: list[int], prices: dict[int, PriceLevel]) -> None:
        """As `_extend`, if each price is a level."""
        end = bisect_left(ranks, self._groups[0]) if self._groups else len(ranks)
        added = ranks[max(0, end - more) : end]
        here = map(prices.__getitem__, added)
        self._groups[:0] = added
        self._levels[:0] = [
            Level(rank * self._sign, price.lots, price.count)
            for rank, price in zip(added, here, strict=True)
        ]
        self.prices = len(self._groups)
        self._is_whole = end <= more

    def _extend(self, more: int, ranks: list[int], prices: dict[int, PriceLevel]) -> None:
        """Group the next levels after the worst one, at most `more`."""
        precise, sign = self._precise, self._sign
        grouped = len(ranks) - bisect_left(ranks, self._groups[0] * precise) if self._groups else 0
        groups: list[int] = []
        levels: list[Level] = []
        current, lots, count = None, 0, 0
        for rank in islice(reversed(ranks), grouped, None):
            group = rank // precise
            if group != current:
                if current is not None:
                    groups.append(current)
                    levels.append(Level(current * precise * sign, lots, count))
                    if len(groups) == more:
                        break
                current, lots, count = group, 0, 0
            price = prices[rank]
            lots += price.lots
            count += price.count
        else:
            self._is_whole = True
            if current is not None:
                groups.append(current)
                levels.append(Level(current * precise * sign, lots, count))
        self._groups[:0] = reversed(groups)
        self._levels[:0] = reversed(levels)
        worst = bisect_left(ranks, self._groups[0] * precise) if self._groups else 0
        self.prices = len(ranks) - worst
