"""All views of a venue behind one fold: `apply` passes each event to those whom it concerns."""

from collections.abc import Iterable

from jayx_stream.model.events import (
    AccountOpened,
    Commit,
    Deposited,
    InstrumentListed,
    KeyAdded,
    KeyRevoked,
    MinuteBegan,
    OperatorEvent,
    OrderAmended,
    OrderCanceled,
    OrderPlaced,
    SignatureUsed,
    Traded,
    TradingHalted,
    TradingResumed,
    Withdrawn,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.past import Trade
from jayx_stream.model.units import NS_PER_S
from jayx_stream.model.views import Orderbook, Ticker
from jayx_stream.projections.changes import Changes
from jayx_stream.projections.keys import AllKeys
from jayx_stream.projections.kline import SymbolKlines
from jayx_stream.projections.openorders import AllOrders
from jayx_stream.projections.orderbook import SymbolBook
from jayx_stream.projections.positions import AllPositions
from jayx_stream.projections.state import ProjectionsState
from jayx_stream.projections.ticker import SymbolTicker
from jayx_stream.projections.trades import SymbolTrades


class Projections:
    """The venue as everyone who watches it sees it."""

    def __init__(self) -> None:
        self.seq = 0
        self.time_ns = 0
        self.minute_s = 0
        """Start of the exchange's current minute; 0 before the clock first struck."""
        self.instruments: dict[str, Instrument] = {}
        self.halted: set[str] = set()
        """Symbols of which no orders are taken."""
        self.books: dict[str, SymbolBook] = {}
        self.trades: dict[str, SymbolTrades] = {}
        self.klines: dict[str, SymbolKlines] = {}
        """By symbol, from its first trade on."""
        self.tickers: dict[str, SymbolTicker] = {}
        self.positions = AllPositions()
        self.orders = AllOrders()
        self.keys = AllKeys()

    def orderbook(self, symbol: str, precise: int, depth: int, trades: int) -> Orderbook:
        """The best `depth` levels, `precise` ticks wide, and the last `trades` trades."""
        book, public = self.books[symbol], self.trades[symbol]
        return Orderbook(
            asks=book.asks.levels(precise, depth),
            bids=book.bids.levels(precise, depth),
            trades=public.last(trades),
            trade_id=public.last_id,
        )

    def ticker(self, symbol: str) -> Ticker:
        """The last 24 hours' figures, and the best of the book."""
        book = self.books[symbol]
        return self.tickers[symbol].view(symbol, book.bids.best(), book.asks.best())

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
                    order = self._cancel(event, changes)
                    changed.setdefault(order.order_id, order)
                case OrderAmended():
                    order = self._amend(event, changes)
                    changed.setdefault(order.order_id, order)
                case MinuteBegan():
                    self._begin_minute(event.minute_ns // NS_PER_S, changes)
                case SignatureUsed():
                    pass  # nobody's view
                case _:
                    self._operate(event, changes)
        for order in changed.values():
            changes.orders.setdefault(order.account, []).append(order)
        return changes

    def _operate(self, event: OperatorEvent, changes: Changes) -> None:
        match event:
            case AccountOpened():
                self.positions.open(event.account)
            case Deposited():
                self.positions.credit(event.account, event.asset, event.units)
                changes.positions.add(event.account)
            case Withdrawn():
                self.positions.credit(event.account, event.asset, -event.units)
                changes.positions.add(event.account)
            case InstrumentListed():
                self._list(event.instrument)
            case TradingHalted():
                self.halted.add(event.symbol)
            case TradingResumed():
                self.halted.discard(event.symbol)
            case KeyAdded():
                self.keys.add(event.key, self.time_ns)
            case KeyRevoked():
                self.keys.revoke(event.key_id, self.time_ns)
                changes.revoked.append(event.key_id)

    def _list(self, instrument: Instrument) -> None:
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        self.books.setdefault(symbol, SymbolBook())
        self.trades.setdefault(symbol, SymbolTrades())
        self.tickers.setdefault(symbol, SymbolTicker(self.minute_s))

    def _place(self, event: OrderPlaced, changes: Changes) -> Order:
        order = event.order(self.time_ns)
        self._add(order)
        changes.positions.add(order.account)
        if order.rests:
            changes.books.add(order.symbol)
        return order

    def _add(self, order: Order) -> None:
        """Take an open order in."""
        lots = order.remaining_lots
        self.orders.add(order)
        self.positions.reserve(order, self.instruments[order.symbol], lots)
        if order.rests:
            book = self.books[order.symbol]
            (book.bids if order.is_buy else book.asks).add(order.limit_ticks, lots)

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
        self.tickers[symbol].trade(event.trade_id, ticks, lots)
        self.trades[symbol].add(event, self.time_ns)
        changes.klines.add(symbol)
        changes.books.add(symbol)
        changes.trades.append(_both_sides(event, maker, taker, self.time_ns, self.seq))
        return maker, taker

    def _amend(self, event: OrderAmended, changes: Changes) -> Order:
        order = self.orders.open_order(event.order_id)
        self._give_up(order, order.amend(event.lots, self.time_ns), changes)
        return order

    def _cancel(self, event: OrderCanceled, changes: Changes) -> Order:
        order = self.orders.open_order(event.order_id)
        lots = order.remaining_lots
        order.cancel(self.time_ns)
        self._give_up(order, lots, changes)
        return order

    def _give_up(self, order: Order, lots: int, changes: Changes) -> None:
        """After a fill, an amendment or a cancel: `lots` are no longer reserved, nor in the book."""
        symbol, gone = order.symbol, order.remaining_lots == 0
        self.positions.reserve(order, self.instruments[symbol], -lots)
        changes.positions.add(order.account)
        if order.rests:
            book = self.books[symbol]
            half = book.bids if order.is_buy else book.asks
            half.reduce(order.limit_ticks, lots, gone=gone)
            changes.books.add(symbol)
        if gone:
            self.orders.close(order)

    def _begin_minute(self, minute_s: int, changes: Changes) -> None:
        self.minute_s = minute_s
        for ticker in self.tickers.values():
            ticker.begin_minute(minute_s)
        for symbol, klines in self.klines.items():
            for interval_s, turn in klines.begin_minute(minute_s):
                changes.turns[symbol, interval_s] = turn

    # The whole, as one value.

    def state(self) -> ProjectionsState:
        """What stands now."""
        open_orders, closed_orders = self.orders.state()
        return ProjectionsState(
            seq=self.seq,
            time_ns=self.time_ns,
            minute_s=self.minute_s,
            instruments=tuple(self.instruments.values()),
            halted=tuple(sorted(self.halted)),
            trades=tuple(trades.state(symbol) for symbol, trades in self.trades.items()),
            klines=tuple(klines.state() for klines in self.klines.values()),
            tickers=tuple(ticker.state(symbol) for symbol, ticker in self.tickers.items()),
            holdings=self.positions.state(),
            open_orders=open_orders,
            closed_orders=closed_orders,
            keys=tuple(self.keys.all()),
        )

    def restore(self, state: ProjectionsState) -> None:
        """Be, from empty, what others were."""
        assert self.seq == 0, f"projections at {self.seq} can't be restored"
        self.seq = state.seq
        self.time_ns = state.time_ns
        self.minute_s = state.minute_s
        self.halted.update(state.halted)
        for instrument in state.instruments:
            self._list(instrument)
        for trades in state.trades:
            self.trades[trades.symbol] = SymbolTrades.restored(trades)
        for klines in state.klines:
            self.klines[klines.symbol] = SymbolKlines.restored(klines)
        for ticker in state.tickers:
            self.tickers[ticker.symbol] = SymbolTicker.restored(ticker)
        for account, holdings in state.holdings:
            self.positions.open(account)
            for asset, units in holdings:
                self.positions.credit(account, asset, units)
        for account, closed in state.closed_orders:
            self.orders.restore_closed(account, closed)
        for view in state.open_orders:
            self._add(Order.restored(view))
        self.keys.restore(state.keys)


def _both_sides(event: Traded, maker: Order, taker: Order, time_ns: int, seq: int) -> Trade:
    return Trade(
        event.symbol,
        event.trade_id,
        event.side,
        event.lots,
        event.ticks,
        time_ns,
        seq,
        event.maker_order_id,
        event.taker_order_id,
        maker.account,
        taker.account,
        event.maker_fee_units,
        event.taker_fee_units,
    )
