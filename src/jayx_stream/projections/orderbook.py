"""The public order book of one symbol: lots and orders at each price, grouped as wide as asked for."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from jayx_stream.model.order import Side
from jayx_stream.model.views import Level


class PriceLevel:
    """The orders at one price."""

    __slots__ = ("count", "lots")

    def __init__(self) -> None:
        self.lots = 0
        self.count = 0


class BookHalf:
    """Bids or asks. Ranks grow as prices get better, so that the best is last."""

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self._ranks: list[int] = []
        self._levels: dict[int, PriceLevel] = {}

    def add(self, ticks: int, lots: int) -> None:
        """One more order of `lots` at `ticks`."""
        rank = ticks * self._sign
        level = self._levels.get(rank)
        if level is None:
            insort(self._ranks, rank)
            level = self._levels[rank] = PriceLevel()
        level.lots += lots
        level.count += 1

    def reduce(self, ticks: int, lots: int, *, gone: bool) -> None:
        """`lots` less at `ticks`; `gone` if the order that held them is closed by it."""
        rank = ticks * self._sign
        level = self._levels[rank]
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
        """The best `depth` levels, best first, each `precise` ticks wide (protocol §5)."""
        levels: list[Level] = []
        for level in self._grouped(precise):
            levels.append(level)
            if len(levels) == depth:
                break
        return tuple(levels)

    def _grouped(self, precise: int) -> Iterator[Level]:
        # Floor division of a rank rounds away from the other half: bids down, asks up.
        current, lots, count = None, 0, 0
        for rank in reversed(self._ranks):
            group = rank // precise
            if group != current:
                if current is not None:
                    yield Level(current * precise * self._sign, lots, count)
                current, lots, count = group, 0, 0
            level = self._levels[rank]
            lots += level.lots
            count += level.count
        if current is not None:
            yield Level(current * precise * self._sign, lots, count)


class SymbolBook:
    """Both halves."""

    def __init__(self) -> None:
        self.bids = BookHalf(Side.BUY)
        self.asks = BookHalf(Side.SELL)

    def half(self, side: Side) -> BookHalf:
        """The half that orders of this side rest in."""
        return self.bids if side is Side.BUY else self.asks
