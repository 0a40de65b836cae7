"""All views of a venue behind one fold: `apply` passes each event to those whom it concerns."""

from collections.abc import Iterable

from jayx_stream.model.events import (
    AccountOpened,
    Commit,
    Deposited,
    InstrumentListed,
    MinuteBegan,
    OrderCanceled,
    OrderPlaced,
    Traded,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.units import NS_PER_S
from jayx_stream.model.views import Orderbook
from jayx_stream.projections.changes import Changes
from jayx_stream.projections.kline import SymbolKlines
from jayx_stream.projections.openorders import AllOrders
from jayx_stream.projections.orderbook import SymbolBook
from jayx_stream.projections.positions import AllPositions
from jayx_stream.projections.trades import SymbolTrades


class Projections:
    """The venue as everyone who watches it sees it."""

    def __init__(self) -> None:
        self.seq = 0
        self.time_ns = 0
        self.instruments: dict[str, Instrument] = {}
        self.books: dict[str, SymbolBook] = {}
        self.trades: dict[str, SymbolTrades] = {}
        self.klines: dict[str, SymbolKlines] = {}
        """By symbol, from its first trade on."""
        self.positions = AllPositions()
        self.orders = AllOrders()

    def orderbook(self, symbol: str, precise: int, depth: int, trades: int) -> Orderbook:
        """The best `depth` levels, `precise` ticks wide, and the last `trades` trades."""
        book, public = self.books[symbol], self.trades[symbol]
        return Orderbook(
            asks=book.asks.levels(precise, depth),
            bids=book.bids.levels(precise, depth),
            trades=public.last(trades),
            trade_id=public.last_id,
        )

    def apply(self, commit: Commit) -> Changes:
        """Take a commit in, and say what it changed. Asserts that none is left out."""
        assert commit.seq == self.seq + 1, f"commit {commit.seq} after {self.seq}"
        self.seq = commit.seq
        self.time_ns = commit.time_ns
        changes = Changes(commit.seq)
        changed: dict[int, Order] = {}
        for event in commit.events:
            match event:
                case OrderPlaced():
                    order = self._place(event, changes)
                    changed[order.order_id] = order
                case Traded():
                    for order in self._trade(event, changes):
                        changed.setdefault(order.order_id, order)
                case OrderCanceled():
                    order = self.orders.open_order(event.order_id)
                    lots = order.remaining_lots
                    order.cancel(self.time_ns)
                    self._give_up(order, lots, changes)
                    changed.setdefault(order.order_id, order)
                case MinuteBegan():
                    self._begin_minute(event.minute_ns // NS_PER_S, changes)
                case Deposited():
                    self.positions.credit(event.account, event.asset, event.units)
                    changes.positions.add(event.account)
                case AccountOpened():
                    self.positions.open(event.account)
                case InstrumentListed():
                    self._list(event.instrument)
        for order in changed.values():
            changes.orders.setdefault(order.account, []).append(order)
        return changes

    def _list(self, instrument: Instrument) -> None:
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        self.books.setdefault(symbol, SymbolBook())
        self.trades.setdefault(symbol, SymbolTrades())

    def _place(self, event: OrderPlaced, changes: Changes) -> Order:
        order = event.order(self.time_ns)
        self.orders.add(order)
        self.positions.reserve(order, self.instruments[order.symbol], order.lots)
        changes.positions.add(order.account)
        if order.type.rests:
            self.books[order.symbol].half(order.side).add(order.limit_ticks, order.lots)
            changes.books.add(order.symbol)
        return order

    def _trade(self, event: Traded, changes: Changes) -> Iterable[Order]:
        symbol, lots, ticks = event.symbol, event.lots, event.ticks
        maker = self.orders.open_order(event.maker_order_id)
        taker = self.orders.open_order(event.taker_order_id)
        fees = (event.maker_fee_units, event.taker_fee_units)
        for order, fee_units in zip((maker, taker), fees, strict=True):
            order.fill(lots, ticks, self.time_ns)
            self.positions.settle(order, self.instruments[symbol], lots, ticks, fee_units)
            self._give_up(order, lots, changes)
        time_s = self.time_ns // NS_PER_S
        klines = self.klines.get(symbol)
        if klines is None:
            klines = self.klines[symbol] = SymbolKlines(symbol, time_s, ticks)
        klines.trade(ticks, lots, time_s)
        self.trades[symbol].add(event, self.time_ns)
        changes.klines.add(symbol)
        changes.books.add(symbol)
        return maker, taker

    def _give_up(self, order: Order, lots: int, changes: Changes) -> None:
        """After a fill or a cancel: `lots` are no longer reserved, nor in the book."""
        self.positions.reserve(order, self.instruments[order.symbol], -lots)
        changes.positions.add(order.account)
        if order.type.rests:
            half = self.books[order.symbol].half(order.side)
            half.reduce(order.limit_ticks, lots, gone=not order.is_open)
            changes.books.add(order.symbol)
        if not order.is_open:
            self.orders.close(order)

    def _begin_minute(self, minute_s: int, changes: Changes) -> None:
        for symbol, klines in self.klines.items():
            for interval_s, turn in klines.begin_minute(minute_s):
                changes.turns[symbol, interval_s] = turn
