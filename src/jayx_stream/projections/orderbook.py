"""The public order book of one symbol: lots and orders at each price, grouped as wide as asked for."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from jayx_stream.model.order import Side
from jayx_stream.model.views import Level


class BookHalf:
    """Bids or asks. Ranks grow as prices get better, so that the best is last."""

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self._ranks: list[int] = []
        self._lots: dict[int, int] = {}
        self._counts: dict[int, int] = {}

    def add(self, ticks: int, lots: int) -> None:
        """One more order of `lots` at `ticks`."""
        rank = ticks * self._sign
        if rank not in self._lots:
            insort(self._ranks, rank)
            self._lots[rank] = self._counts[rank] = 0
        self._lots[rank] += lots
        self._counts[rank] += 1

    def reduce(self, ticks: int, lots: int, *, gone: bool) -> None:
        """`lots` less at `ticks`; `gone` if the order that held them is closed by it."""
        rank = ticks * self._sign
        self._lots[rank] -= lots
        if not gone:
            return
        self._counts[rank] -= 1
        if self._counts[rank] == 0:
            assert self._lots[rank] == 0, f"{self._lots[rank]} lots at {ticks} without an order"
            del self._lots[rank], self._counts[rank]
            del self._ranks[bisect_left(self._ranks, rank)]

    def best(self) -> Level | None:
        """The level that an incoming order would meet first."""
        if not self._ranks:
            return None
        rank = self._ranks[-1]
        return Level(rank * self._sign, self._lots[rank], self._counts[rank])

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
            lots += self._lots[rank]
            count += self._counts[rank]
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
