"""One symbol of a recording as orders: depth diffs become resting orders of a maker, one per level,
and recorded trades become orders of a taker.

Rule: if nobody else trades, a recorded trade fills exactly its size at exactly its price. A trade
comes up to 100 ms before the diff that shows it, so it finds levels that are gone already. Those
in its way are taken away, lots that are missing are added, and the next diff, which is the truth,
sets right what was disturbed.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from jayx_stream.market.pipeline import Pipeline, Sent
from jayx_stream.market.tally import Tally
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused

MAKER = "replay-maker"
TAKER = "replay-taker"


class _Level:
    """What the recording says of a price, and what was done about it."""

    __slots__ = ("open_lots", "orders", "wanted_lots")

    def __init__(self) -> None:
        self.wanted_lots = 0
        """By the last diff that named the price."""
        self.open_lots = 0
        """Of `orders`, if nobody but the replay's own taker took from them."""
        self.orders: list[Sent] = []
        """Orders that may be open."""


class _Half:
    """The levels of one side. Ranks grow as prices get better, so that the best is last."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, _Level] = {}
        """By ticks."""
        self.disturbed: dict[int, None] = {}
        """Ticks of levels that trades changed since the last diff, in that order."""
        self._sign = 1 if side is Side.BUY else -1
        self._ranks: list[int] = []

    def at(self, ticks: int) -> _Level:
        """The level at a price, a new one if there is none."""
        level = self.levels.get(ticks)
        if level is None:
            level = self.levels[ticks] = _Level()
            insort(self._ranks, ticks * self._sign)
        return level

    def drop(self, ticks: int) -> None:
        """Forget a level."""
        if self.levels.pop(ticks, None) is not None:
            del self._ranks[bisect_left(self._ranks, ticks * self._sign)]

    def better(self, ticks: int) -> list[int]:
        """Prices of levels that a taker meets before `ticks`."""
        return self._from(bisect_right(self._ranks, ticks * self._sign))

    def better_or_at(self, ticks: int) -> list[int]:
        """Those and `ticks` itself: what an order of the other side at `ticks` would take."""
        return self._from(bisect_left(self._ranks, ticks * self._sign))

    def _from(self, index: int) -> list[int]:
        return [rank * self._sign for rank in self._ranks[index:]]


class RecordedBook:
    """One symbol's levels at the exchange."""

    def __init__(self, symbol: str, pipeline: Pipeline, tally: Tally) -> None:
        self._symbol = symbol
        self._pipeline = pipeline
        self._tally = tally
        self._bids = _Half(Side.BUY)
        self._asks = _Half(Side.SELL)

    async def change(
        self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]
    ) -> None:
        """Set levels, given as ticks and lots, and set right what trades disturbed."""
        changed: dict[tuple[_Half, int], int] = {}
        for half in (self._bids, self._asks):
            for ticks in half.disturbed:
                changed[half, ticks] = half.levels[ticks].wanted_lots
            half.disturbed.clear()
        for half, levels in ((self._bids, bids), (self._asks, asks)):
            for ticks, lots in levels:
                # To the end: what the diff names is newer than the rest, and wins if they cross.
                changed.pop((half, ticks), None)
                changed[half, ticks] = lots
        # All old orders go before a new one comes, else the account would meet itself.
        for half, ticks in changed:
            await self._clear(half, ticks)
        for (half, ticks), lots in changed.items():
            if lots == 0:
                half.drop(ticks)
                continue
            opposite = self._asks if half is self._bids else self._bids
            for stale in opposite.better_or_at(ticks):
                await self._clear(opposite, stale)
                opposite.drop(stale)
            half.at(ticks).wanted_lots = lots
            await self._add(half, ticks, lots)

    async def trade(self, side: Side, ticks: int, lots: int) -> None:
        """Have the taker buy or sell `lots` at `ticks`."""
        taken, own = (self._asks, self._bids) if side is Side.BUY else (self._bids, self._asks)
        for half, in_the_way in ((taken, taken.better(ticks)), (own, own.better_or_at(ticks))):
            for each in in_the_way:
                if half.levels[each].open_lots:
                    await self._clear(half, each)
                    half.disturbed[each] = None
        level = taken.at(ticks)
        taken.disturbed[ticks] = None
        if level.open_lots < lots:
            await self._add(taken, ticks, lots - level.open_lots)
        level.open_lots -= lots
        self._tally.orders += 1
        order = PlaceOrder(
            account=TAKER,
            symbol=self._symbol,
            side=side,
            type=OrderType.IOC,
            lots=lots,
            limit_ticks=ticks,
        )
        await self._pipeline.send(order, self._took)

    async def _clear(self, half: _Half, ticks: int) -> None:
        """Cancel what may be open at a price."""
        level = half.levels.get(ticks)
        if level is None:
            return
        for order in level.orders:
            await self._pipeline.cancel(order)
        level.orders.clear()
        level.open_lots = 0

    async def _add(self, half: _Half, ticks: int, lots: int) -> None:
        """Rest one more order at a price."""
        level = half.at(ticks)
        level.open_lots += lots
        self._tally.orders += 1
        order = PlaceOrder(
            account=MAKER,
            symbol=self._symbol,
            side=half.side,
            type=OrderType.LIMIT,
            lots=lots,
            limit_ticks=ticks,
        )
        level.orders.append(await self._pipeline.send(order, self._rested))

    def _took(self, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self._tally.refuse(answer)
        else:
            self._tally.traded_lots += answer.orders[0].executed_lots

    def _rested(self, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self._tally.refuse(answer)
        else:
            self._tally.met_lots += answer.orders[0].executed_lots
