"""The simulated market as a sequence of actions, pure: the seed and the starting prices decide all.

It knows no clock and no exchange. Makers quote both sides around a fair price that nobody is told;
takers come in bursts. What the exchange makes of it, fills or refusals, changes nothing here.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from random import Random

from msgspec import Struct

from jayx_stream.market.profile import Profile, Table, quantile
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Side
from jayx_stream.model.units import NS_PER_MS, NS_PER_S, power_of_ten

MAKERS = ("maker-1", "maker-2", "maker-3")
TAKERS = ("taker-1", "taker-2", "taker-3")

LEVELS = 30
"""Orders per side that the makers keep, all together."""
REQUOTE_S = 0.3
"""Mean time between two moves of the fair price; exponentially distributed."""
REQUOTED = 4
"""Levels per side that each move replaces, beside those that it must."""
WITHDRAWN = 0.05
"""The part of replaced orders that nothing comes in place of, until their level's next turn."""
REVERSION_S = 1200.0
"""Time in which the fair price forgets two thirds of its distance from the start."""
REACH = 0.3
"""How far takers go: the part of all levels, from the best one on, that they would pay."""
FULL_RATE_INSTRUMENTS = 2
"""With more instruments each trades less often, so that all together don't trade more."""


class Start(Struct, frozen=True):
    """From where one instrument's market sets out."""

    instrument: Instrument
    profile: Profile
    ticks: int


class Quote(Struct, frozen=True):
    """Rest an order that takes nothing; the slot is its from now on."""

    slot: int
    account: str
    symbol: str
    side: Side
    lots: int
    limit_ticks: int


class Withdraw(Struct, frozen=True):
    """Cancel the slot's order, if it is still open; the slot is free from now on."""

    slot: int


class Take(Struct, frozen=True):
    """Buy or sell at once what there is up to a limit."""

    account: str
    symbol: str
    side: Side
    lots: int
    limit_ticks: int


Action = Quote | Withdraw | Take
Timed = Iterator[tuple[int, Action]]


def flow(starts: Sequence[Start], seed: int) -> Timed:
    """All instruments' actions, without end, each with the nanoseconds to wait before it."""
    slowness = max(1.0, len(starts) / FULL_RATE_INSTRUMENTS)
    instruments = [
        _InstrumentFlow(start, seed, slowness, first_slot=2 * LEVELS * index).actions()
        for index, start in enumerate(starts)
    ]
    now_ns = 0
    for time_ns, action in heapq.merge(*instruments, key=itemgetter(0)):
        yield time_ns - now_ns, action
        now_ns = time_ns


class _InstrumentFlow:
    """One instrument's makers and takers. Prices are ticks, the fair one between them a float."""

    def __init__(self, start: Start, seed: int, slowness: float, *, first_slot: int) -> None:
        self._instrument = start.instrument
        self._profile = start.profile
        self._start_ticks = float(start.ticks)
        self._slowness = slowness
        self._first_slot = first_slot
        # Not for secrets: the same seed has to give the same market.
        self._random = Random(f"{seed} {start.instrument.symbol}")  # noqa: S311
        self._drift = 0.0
        """Logarithm of the fair price, from the start."""
        self._best = {Side.BUY: 0, Side.SELL: 0}
        """The best price that makers quote."""
        self._quoted: dict[int, int] = {}
        """Ticks by slot: bids have the first half of the slots, asks the second, near ones first."""
        self._side = Side.BUY
        """Of the last taker."""

    def actions(self) -> Timed:
        """Actions with their time in nanoseconds from the start, ascending."""
        requoted_ns, requote_ns = 0, 0
        take_ns = self._taker_gap_ns()
        while True:
            if requote_ns <= take_ns:
                for action in self._requote((requote_ns - requoted_ns) / NS_PER_S):
                    yield requote_ns, action
                requoted_ns = requote_ns
                gap_s = self._random.expovariate(1 / (REQUOTE_S * self._slowness))
                requote_ns += int(gap_s * NS_PER_S)
            else:
                yield take_ns, self._take()
                take_ns += self._taker_gap_ns()

    def _requote(self, elapsed_s: float) -> Iterator[Action]:
        """Move the fair price, and replace the levels that it overran, the best, and a few more."""
        self._move(elapsed_s)
        replaced = {slot: None for slot in range(2 * LEVELS) if self._is_overrun(slot)}
        for side_slot in (0, LEVELS):
            replaced[side_slot] = None
            for _ in range(REQUOTED):
                replaced[side_slot + int(LEVELS * self._random.random() ** 2)] = None
        for slot in replaced:
            if self._quoted.pop(slot, None) is not None:
                yield Withdraw(self._first_slot + slot)
        for slot in replaced:
            if self._random.random() >= WITHDRAWN:
                yield self._quote(slot)

    def _move(self, elapsed_s: float) -> None:
        volatility = self._profile.volatility_bp / 10_000 * math.sqrt(elapsed_s)
        self._drift += self._random.gauss(0.0, volatility) - self._drift * elapsed_s / REVERSION_S
        fair = self._start_ticks * math.exp(self._drift)
        # Rounded to ticks: the spread at least one, and no price below one.
        spread = max(1, round(fair * self._draw(self._profile.spread_bp) / 10_000))
        self._best[Side.BUY] = max(1, round(fair - spread / 2))
        self._best[Side.SELL] = self._best[Side.BUY] + spread

    def _is_overrun(self, slot: int) -> bool:
        """Whether the slot is empty at first, or its price is better than the best now is."""
        ticks = self._quoted.get(slot)
        if ticks is None:
            return not self._quoted
        if slot < LEVELS:
            return ticks > self._best[Side.BUY]
        return ticks < self._best[Side.SELL]

    def _quote(self, slot: int) -> Quote:
        side = Side.BUY if slot < LEVELS else Side.SELL
        number = slot % LEVELS
        share = (number + self._random.random()) / LEVELS if number else 0.0
        ticks = self._quoted[slot] = self._behind(side, share)
        return Quote(
            slot=self._first_slot + slot,
            account=MAKERS[slot % len(MAKERS)],
            symbol=self._instrument.symbol,
            side=side,
            lots=self._lots(self._draw(self._profile.level_quantity)),
            limit_ticks=ticks,
        )

    def _take(self) -> Take:
        if self._random.random() >= self._profile.same_side:
            self._side = Side.SELL if self._side is Side.BUY else Side.BUY
        return Take(
            account=self._random.choice(TAKERS),
            symbol=self._instrument.symbol,
            side=self._side,
            lots=self._lots(self._draw(self._profile.taker_quantity)),
            limit_ticks=self._behind(Side.SELL if self._side is Side.BUY else Side.BUY, REACH),
        )

    def _behind(self, side: Side, share: float) -> int:
        """The price of a side behind which it has all levels but this share of them."""
        distance = self._best[side] * quantile(self._profile.distance_bp, share) / 10_000
        return max(1, self._best[side] + round(-distance if side is Side.BUY else distance))

    def _lots(self, quantity: float) -> int:
        """A quantity in base as lots, rounded, within what may be ordered."""
        each = self._instrument
        lots = round(quantity * power_of_ten(each.lot_size.decimals) / each.lot_size.mantissa)
        return min(max(lots, each.min_lots), each.max_lots)

    def _taker_gap_ns(self) -> int:
        return int(self._draw(self._profile.taker_gap_ms) * self._slowness * NS_PER_MS)

    def _draw(self, values: Table) -> float:
        return quantile(values, self._random.random())
