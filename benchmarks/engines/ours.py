"""Our engine, as `driving` drives engines: the book alone, or the whole exchange.

    python -m benchmarks.engines.ours FLOW book|exchange plain|compiled

Raises AssertionError if the package is not the build that was asked for.
"""

import sys

from benchmarks.crowd import ACCOUNTS, BTCUSDT, commit, opening
from benchmarks.engines.driving import Engine, tell
from jayx_stream.engine import Exchange, is_compiled
from jayx_stream.engine.book import Book
from jayx_stream.engine.matching import match
from jayx_stream.model.commands import CancelOrder, Command, PlaceOrder
from jayx_stream.model.events import Traded
from jayx_stream.model.order import Order, OrderType, Side


class BareBook:
    """Book and matching with nothing around them: what is above it is the price of checks, money, events
    and client ids.
    """

    def __init__(self) -> None:
        self.fills: int | None = 0
        self.lots: int | None = 0
        self._book = Book()
        self._orders: dict[int, Order] = {}

    def place(self, number: int, is_buy: bool, lots: int, ticks: int, account: int) -> None:
        side, owner = Side.BUY if is_buy else Side.SELL, ACCOUNTS[account]
        order = Order(number, owner, BTCUSDT.symbol, side, OrderType.LIMIT, lots, ticks, None, 0)
        matches = match(self._book.opposite(side), owner, lots, ticks, None)
        for resting, taken in matches.fills:
            order.fill(taken, resting.limit_ticks, 0)
            resting.fill(taken, resting.limit_ticks, 0)
            self._book.half(resting.side).reduce(resting, taken)
            if not resting.is_open:
                del self._orders[resting.order_id]
        if matches.fills:
            assert self.fills is not None
            assert self.lots is not None
            self.fills += len(matches.fills)
            self.lots += order.executed_lots
        if matches.remaining_lots and not matches.met_own_order:
            self._orders[number] = order
            self._book.half(side).add(order)

    def cancel(self, number: int) -> None:
        order = self._orders.pop(number)
        lots = order.remaining_lots
        order.cancel(0)
        self._book.half(order.side).reduce(order, lots)

    def open_lots(self) -> int | None:
        """Of all resting orders."""
        return sum(order.remaining_lots for order in self._orders.values())


class WholeExchange:
    """Checks, ledger, events, asserted invariants: the engine as a venue has it."""

    def __init__(self) -> None:
        self.fills: int | None = 0
        self.lots: int | None = 0
        self._exchange = Exchange()
        for command in opening():
            commit(self._exchange, command)

    def place(self, number: int, is_buy: bool, lots: int, ticks: int, account: int) -> None:
        self._do(
            PlaceOrder(
                account=ACCOUNTS[account],
                symbol="BTCUSDT",
                side=Side.BUY if is_buy else Side.SELL,
                type=OrderType.LIMIT,
                lots=lots,
                limit_ticks=ticks,
            )
        )

    def cancel(self, number: int) -> None:
        # The exchange numbers orders from 1, as the flow does.
        order = self._exchange.orders[number]
        self._do(CancelOrder(account=order.account, order_id=number))

    def open_lots(self) -> int | None:
        """Of all resting orders."""
        return sum(order.remaining_lots for order in self._exchange.orders.values())

    def _do(self, command: Command) -> None:
        done = commit(self._exchange, command)
        assert done is not None, f"refused: {command}"
        if len(done.events) > 1:
            trades = [event.lots for event in done.events if isinstance(event, Traded)]
            assert self.fills is not None
            assert self.lots is not None
            self.fills += len(trades)
            self.lots += sum(trades)


OURS: dict[str, type[BareBook] | type[WholeExchange]] = {
    "book": BareBook,
    "exchange": WholeExchange,
}

if __name__ == "__main__":
    assert is_compiled() == (sys.argv[3] == "compiled")
    engine: Engine = OURS[sys.argv[2]]()
    tell(engine)
