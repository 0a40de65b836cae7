"""How many commands a second the engine does, with ledger and events, on one core.

One symbol, 2,000 resting orders, then 100,000 commands: 50 % limit orders that rest within 50 ticks
of a mid that walks at random, 40 % cancels of open orders, 10 % limit orders that take. All variants
do the same commands, round by round in turn; CPU time of this process.
"""

import gc
import platform
from collections.abc import Callable, Sequence
from random import Random
from statistics import median
from time import process_time

from jayx_stream.engine import Exchange
from jayx_stream.engine.book import Book
from jayx_stream.engine.matching import match
from jayx_stream.model.commands import (
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
)
from jayx_stream.model.events import Commit, encode_commits
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.projections import Projections

COMMANDS = 100_000
RESTING_ORDERS = 2_000
ROUNDS = 5
BATCH_COMMITS = 100
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
        """A limit order at a price that the other half of the book offers, for an order or two."""
        side = self._random.choice((Side.BUY, Side.SELL))
        best = self._exchange.books["BTCUSDT"].opposite(side).best()
        if best is None:
            return self.passive()
        sign = 1 if side is Side.BUY else -1
        return self._limit(side, self._random.randint(1, 1000), best.ticks + 2 * sign)

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


class BareBook:
    """The engine's book and matching with nothing around them."""

    def __init__(self) -> None:
        self._book = Book()
        self._orders: dict[int, Order] = {}
        self._last_order_id = 0

    def do(self, command: Command) -> None:
        """Place or cancel; anything else is nothing to a book."""
        if isinstance(command, PlaceOrder):
            self._place(command)
        elif isinstance(command, CancelOrder) and command.order_id is not None:
            order = self._orders.pop(command.order_id)
            lots = order.remaining_lots
            order.cancel(0)
            self._book.half(order.side).reduce(order, lots)

    def _place(self, command: PlaceOrder) -> None:
        account, side, type = command.account, command.side, command.type
        lots, ticks = command.lots, command.limit_ticks
        self._last_order_id += 1
        order = Order(self._last_order_id, account, "BTCUSDT", side, type, lots, ticks, None, 0)
        matches = match(
            self._book,
            BTCUSDT,
            account=account,
            side=side,
            type=type,
            lots=lots,
            limit_ticks=ticks,
            quote_units=0,
        )
        for resting, taken in matches.fills:
            order.fill(taken, resting.limit_ticks, 0)
            resting.fill(taken, resting.limit_ticks, 0)
            self._book.half(resting.side).reduce(resting, taken)
            if not resting.is_open:
                del self._orders[resting.order_id]
        if matches.remaining_lots and not matches.met_own_order:
            self._orders[order.order_id] = order
            self._book.half(side).add(order)


# The variants: each gets ready, then gives the CPU seconds that the commands took.


def bare_book(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """Matching only: what is above it is the price of checks, money, events and client ids."""
    bare = BareBook()
    for command in before:
        bare.do(command)
    begin = process_time()
    for command in commands:
        bare.do(command)
    return process_time() - begin


def decide_and_apply(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """The engine: checks, money and events."""
    exchange, _ = ready(before)
    begin = process_time()
    for command in commands:
        commit(exchange, command)
    return process_time() - begin


def and_encode(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """The engine, and the journal's bytes."""
    exchange, _ = ready(before)
    batch: list[Commit] = []
    begin = process_time()
    for command in commands:
        done = commit(exchange, command)
        if done is not None:
            batch.append(done)
        if len(batch) == BATCH_COMMITS:
            encode_commits(batch)
            batch.clear()
    return process_time() - begin


def and_project(before: Sequence[Command], commands: Sequence[Command]) -> float:
    """The engine, the journal's bytes, and all views."""
    exchange, projections = ready(before)
    batch: list[Commit] = []
    begin = process_time()
    for command in commands:
        done = commit(exchange, command)
        if done is not None:
            batch.append(done)
        if len(batch) == BATCH_COMMITS:
            encode_commits(batch)
            for each in batch:
                projections.apply(each)
            batch.clear()
    return process_time() - begin


VARIANTS = {
    "bare book (the limit)": bare_book,
    "decide + apply": decide_and_apply,
    "  + encode_commits": and_encode,
    "  + Projections.apply": and_project,
}


def main() -> None:
    market = Market(Random(20240519))
    before = [*opening(), *market.commands(RESTING_ORDERS, [market.passive])]
    kinds = [market.passive] * 5 + [market.cancel] * 4 + [market.taking]
    commands = market.commands(COMMANDS, kinds)
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(ROUNDS):
        for name, variant in VARIANTS.items():
            gc.collect()
            seconds[name].append(variant(before, commands))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {platform.platform()}, {platform.machine()}")
    print(f"{COMMANDS:,} commands, median of {ROUNDS} rounds, CPU time\n")
    print(f"{'':24}{'commands/s':>12}{'µs/command':>12}{'ratio':>8}")
    engine = median(seconds["decide + apply"])
    for name, each in seconds.items():
        took = median(each)
        rate, each_us = COMMANDS / took, took / COMMANDS * 1e6
        print(f"{name:24}{rate:>12,.0f}{each_us:>12.2f}{took / engine:>8.2f}")


if __name__ == "__main__":
    main()
