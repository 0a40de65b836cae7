"""The commands that the engine's benchmarks do: made up by chance from a seed, the same in every process.

One symbol, 2,000 resting orders, then as many commands as wanted: 50 % limit orders that rest within 50
ticks of a mid that walks at random, 40 % cancels of open orders, 10 % limit orders that take.
"""

from collections.abc import Callable, Sequence
from random import Random

from jayx_stream.engine import Exchange
from jayx_stream.engine.matching import match
from jayx_stream.model.commands import (
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
)
from jayx_stream.model.events import Commit
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.projections import Projections

RESTING_ORDERS = 2_000
SPREAD_TICKS = 50
ACCOUNTS = tuple(f"trader{number}" for number in range(100))
BTCUSDT = Instrument.define(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size="0.01",
    lot_size="0.000001",
    maker_fee="0.001",
    taker_fee="0.002",
)


def commit(exchange: Exchange, command: Command) -> Commit | None:
    """Decide and apply one command, as the exchange's loop does."""
    events = exchange.decide(command)
    if isinstance(events, Refused) or not events:
        return None
    done = Commit(exchange.seq + 1, exchange.time_ns + 1000, events)
    exchange.apply(done)
    return done


def opening() -> list[Command]:
    """The instrument, and accounts with more money than they can spend."""
    commands: list[Command] = [ListInstrument(instrument=BTCUSDT)]
    for account in ACCOUNTS:
        commands.append(OpenAccount(account=account))
        commands += [
            Deposit(account=account, asset=asset, units=10**15, reference=asset)
            for asset in ("BTC", "USDT")
        ]
    return commands


class Market:
    """Makes the commands up, against an exchange that does them at once."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._exchange = Exchange()
        self._mid_ticks = 6_684_363
        self._ids: list[int] = []
        for command in opening():
            commit(self._exchange, command)

    def passive(self) -> PlaceOrder:
        """A limit order that rests."""
        random = self._random
        self._mid_ticks += random.choice((-1, 0, 0, 1))
        side = random.choice((Side.BUY, Side.SELL))
        sign = 1 if side is Side.BUY else -1
        ticks = self._mid_ticks - sign * random.randint(1, SPREAD_TICKS)
        best = self._exchange.books["BTCUSDT"].opposite(side).best()
        if best is not None and sign * (best.ticks - ticks) <= 0:
            ticks = best.ticks - sign
        return self._limit(side, random.randint(1, 1000), ticks)

    def cancel(self) -> Command:
        """A cancel of some open order."""
        while self._ids:
            at = self._random.randrange(len(self._ids))
            self._ids[at], self._ids[-1] = self._ids[-1], self._ids[at]
            order = self._exchange.orders.get(self._ids.pop())
            if order is not None:
                return CancelOrder(account=order.account, order_id=order.order_id)
        return self.passive()

    def taking(self) -> PlaceOrder:
        """A limit order at a price that the other half of the book offers, for an order or two. It never
        meets an order of its own account: engines that know of no accounts do with it what ours does.
        """
        side = self._random.choice((Side.BUY, Side.SELL))
        half = self._exchange.books["BTCUSDT"].opposite(side)
        best = half.best()
        if best is None:
            return self.passive()
        sign = 1 if side is Side.BUY else -1
        lots, ticks = self._random.randint(1, 1000), best.ticks + 2 * sign
        while True:
            order = self._limit(side, lots, ticks)
            if not match(half, order.account, lots, ticks, None).met_own_order:
                return order

    def commands(self, count: int, kinds: Sequence[Callable[[], Command]]) -> list[Command]:
        """`count` commands, each of one of the kinds, done by the exchange in passing."""
        commands = []
        for _ in range(count):
            command = self._random.choice(kinds)()
            done = commit(self._exchange, command)
            assert done is not None, f"refused: {command}"
            if isinstance(command, PlaceOrder):
                self._ids.append(self._exchange._last_order_id)
            commands.append(command)
        return commands

    def _limit(self, side: Side, lots: int, ticks: int) -> PlaceOrder:
        return PlaceOrder(
            account=self._random.choice(ACCOUNTS),
            symbol="BTCUSDT",
            side=side,
            type=OrderType.LIMIT,
            lots=lots,
            limit_ticks=ticks,
        )


def ready(before: Sequence[Command]) -> tuple[Exchange, Projections]:
    """An exchange that did these commands, and its projections."""
    exchange, projections = Exchange(), Projections()
    for command in before:
        done = commit(exchange, command)
        assert done is not None, f"refused: {command}"
        projections.apply(done)
    return exchange, projections


def crowd(count: int) -> tuple[list[Command], list[Command]]:
    """What makes the market ready, and `count` commands after it."""
    market = Market(Random(20240519))
    before = [*opening(), *market.commands(RESTING_ORDERS, [market.passive])]
    kinds = [market.passive] * 5 + [market.cancel] * 4 + [market.taking]
    return before, market.commands(count, kinds)
