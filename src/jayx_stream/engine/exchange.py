"""The exchange: `decide` reads state and names the events, `apply` is the only place where state changes.

Recovery is `apply` over the journal, so that a replay can't disagree with life.
"""

from collections import OrderedDict
from collections.abc import Iterator

from jayx_stream.engine.book import Book
from jayx_stream.engine.invariants import check_trades
from jayx_stream.engine.ledger import FEES, OUTSIDE, Ledger
from jayx_stream.engine.placing import Placing
from jayx_stream.engine.state import ExchangeState
from jayx_stream.model.commands import (
    AdvanceClock,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    RememberSignature,
)
from jayx_stream.model.events import (
    AccountOpened,
    AnyEvent,
    CancelReason,
    Commit,
    Deposited,
    InstrumentListed,
    MinuteBegan,
    OrderCanceled,
    OrderPlaced,
    SignatureUsed,
    Traded,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import COUNT_MAX, MINUTE_NS

Events = tuple[AnyEvent, ...]


class Exchange:
    """All state of one venue's trading: instruments, accounts, balances, orders, books and clock."""

    def __init__(self, *, open_orders_max: int = 20_000) -> None:
        """`open_orders_max`: open orders that one account may have, 0 for no limit."""
        self.seq = 0
        """Number of the last commit applied."""
        self.time_ns = 0
        self.minute_ns = 0
        """Start of the exchange's current minute; 0 before the clock first struck."""
        self.instruments: dict[str, Instrument] = {}
        self.ledger = Ledger()
        self.books: dict[str, Book] = {}
        self.orders: dict[int, Order] = {}
        """Open orders."""
        self._open_by_account: dict[str, dict[int, Order]] = {}
        self._by_client_order_id: dict[tuple[str, str], Order] = {}
        """Every order that was ever given a name, open or not: names are for ever."""
        self._deposit_references: set[tuple[str, str]] = set()
        self.signatures: OrderedDict[bytes, int] = OrderedDict()
        """Those used lately, and when they expire, in milliseconds; in the order of their use."""
        self._last_order_id = 0
        self._last_trade_ids: dict[str, int] = {}
        self._open_orders_max = open_orders_max

    # What a command would do. Nothing here changes anything.

    def decide(self, command: Command) -> Events | Refused:
        """Name the events, in order. Empty: what is asked for is so already."""
        match command:
            case PlaceOrder():
                return self._decide_place(command)
            case CancelOrder():
                return self._decide_cancel(command)
            case CancelAll():
                return self._decide_cancel_all(command)
            case AdvanceClock():
                minute_ns = command.minute_ns - command.minute_ns % MINUTE_NS
                return (MinuteBegan(minute_ns),) if minute_ns > self.minute_ns else ()
            case OpenAccount():
                return self._decide_open(command)
            case Deposit():
                return self._decide_deposit(command)
            case ListInstrument():
                return self._decide_list(command.instrument)
            case RememberSignature():
                return (SignatureUsed(command.digest, command.used_ms, command.expires_ms),)

    def _decide_place(self, command: PlaceOrder) -> Events | Refused:
        account, name = command.account, command.client_order_id
        instrument = self.instruments.get(command.symbol)
        if instrument is None:
            return Refused(ErrorCode.UNKNOWN_SYMBOL, f"no instrument {command.symbol}")
        if not self.ledger.has(account):
            return Refused(ErrorCode.UNAUTHORIZED, f"no account {account}")
        if name is not None:
            earlier = self._by_client_order_id.get((account, name))
            if earlier is not None:
                return () if _is_same(earlier, command) else _name_used(earlier, name)
        count = len(self._open_by_account.get(account, ()))
        if command.type.rests and 0 < self._open_orders_max <= count:
            reason = f"{count} orders are open, {self._open_orders_max} are allowed"
            return Refused(ErrorCode.TOO_MANY_ORDERS, reason)
        return Placing(instrument, self.books[command.symbol], self.ledger, command).decide(
            order_id=self._last_order_id + 1,
            trade_id=self._last_trade_ids.get(command.symbol, 0) + 1,
        )

    def _decide_cancel(self, command: CancelOrder) -> Events | Refused:
        order = self.find(command.account, command.order_id, command.client_order_id)
        if order is None or not order.is_open:
            wanted = command.order_id if command.order_id is not None else command.client_order_id
            state = "no such order" if order is None else f"it is {order.state}"
            return Refused(ErrorCode.UNKNOWN_ORDER, f"no open order {wanted}: {state}")
        return (OrderCanceled(order.order_id, CancelReason.BY_OWNER),)

    def _decide_cancel_all(self, command: CancelAll) -> Events | Refused:
        if command.symbol is not None and command.symbol not in self.instruments:
            return Refused(ErrorCode.UNKNOWN_SYMBOL, f"no instrument {command.symbol}")
        return tuple(
            OrderCanceled(order.order_id, CancelReason.BY_OWNER)
            for order in self.open_orders(command.account)
            if command.symbol in (None, order.symbol)
        )

    def _decide_open(self, command: OpenAccount) -> Events | Refused:
        if command.account in (FEES, OUTSIDE, ""):
            reason = f"the account name {command.account!r} is not to be had"
            return Refused(ErrorCode.BAD_REQUEST, reason)
        return () if self.ledger.has(command.account) else (AccountOpened(command.account),)

    def _decide_deposit(self, command: Deposit) -> Events | Refused:
        account, asset, units = command.account, command.asset, command.units
        if not self.ledger.has(account):
            return Refused(ErrorCode.BAD_REQUEST, f"no account {account}")
        if (account, command.reference) in self._deposit_references:
            return ()
        outside = self.ledger.balances(OUTSIDE).get(asset)
        brought_in = -outside.units if outside is not None else 0
        if units < 1 or brought_in + units > COUNT_MAX:
            return Refused(
                ErrorCode.BAD_REQUEST,
                f"a deposit of {units} units of {asset} is not within 1 and {COUNT_MAX - brought_in}",
            )
        return (Deposited(account, asset, units, command.reference),)

    def _decide_list(self, instrument: Instrument) -> Events | Refused:
        listed = self.instruments.get(instrument.symbol)
        if listed == instrument:
            return ()
        if listed is not None and _steps(listed) != _steps(instrument):
            return Refused(
                ErrorCode.BAD_REQUEST,
                f"{instrument.symbol} is listed with other assets, tick size or lot size: "
                f"{_steps(listed)}, not {_steps(instrument)}",
            )
        return (InstrumentListed(instrument),)

    # What happened. The only place where state changes.

    def apply(self, commit: Commit) -> list[Order]:
        """Take a commit in, and give the orders that it placed or canceled. Commits come in order:
        asserts that none is left out.
        """
        assert commit.seq == self.seq + 1, f"commit {commit.seq} after {self.seq}"
        assert commit.time_ns >= self.time_ns, f"commit {commit.seq} goes back in time"
        self.seq = commit.seq
        self.time_ns = commit.time_ns
        orders: dict[int, Order] = {}
        placed: Order | None = None
        for event in commit.events:
            match event:
                case OrderPlaced():
                    orders[event.order_id] = placed = self._apply_placed(event)
                case Traded():
                    self._apply_traded(event)
                case OrderCanceled():
                    orders[event.order_id] = self._apply_canceled(event)
                case MinuteBegan():
                    self.minute_ns = event.minute_ns
                case Deposited():
                    self.ledger.transfer(OUTSIDE, event.account, event.asset, event.units)
                    self.ledger.check_conserved(event.asset)
                    self._deposit_references.add((event.account, event.reference))
                case SignatureUsed():
                    self._apply_signature(event)
                case AccountOpened():
                    self.ledger.open(event.account)
                case InstrumentListed():
                    self.instruments[event.instrument.symbol] = event.instrument
                    self.books.setdefault(event.instrument.symbol, Book())
        if placed is not None:
            symbol = placed.symbol
            if len(commit.events) > 1:
                check_trades(placed, commit.events, self.instruments[symbol], self.ledger)
            self.books[symbol].check_not_crossed(symbol)
        return list(orders.values())

    def _apply_placed(self, event: OrderPlaced) -> Order:
        order = event.order(self.time_ns)
        self._last_order_id = event.order_id
        if order.client_order_id is not None:
            self._by_client_order_id[order.account, order.client_order_id] = order
        self._add(order)
        return order

    def _add(self, order: Order) -> None:
        """Take an open order in: it reserves, and rests if it is of those that do."""
        self.orders[order.order_id] = order
        self._open_by_account.setdefault(order.account, {})[order.order_id] = order
        instrument = self.instruments[order.symbol]
        units = instrument.reserved_units(order.side, order.remaining_lots, order.limit_ticks)
        if units:
            self.ledger.reserve(order.account, instrument.reserved_asset(order.side), units)
        if order.type.rests:
            self.books[order.symbol].half(order.side).add(order)

    def _apply_traded(self, event: Traded) -> None:
        maker, taker = self.orders[event.maker_order_id], self.orders[event.taker_order_id]
        self._last_trade_ids[event.symbol] = event.trade_id
        for order in (maker, taker):
            order.fill(event.lots, event.ticks, self.time_ns)
            self._give_up(order, event.lots)
        if event.side is Side.BUY:
            buyer, seller = taker.account, maker.account
            base_fee, quote_fee = event.taker_fee_units, event.maker_fee_units
        else:
            buyer, seller = maker.account, taker.account
            base_fee, quote_fee = event.maker_fee_units, event.taker_fee_units
        instrument = self.instruments[event.symbol]
        base_units = instrument.base_units(event.lots)
        quote_units = instrument.quote_units(event.lots, event.ticks)
        transfer = self.ledger.transfer
        transfer(seller, buyer, instrument.base, base_units)
        transfer(buyer, seller, instrument.quote, quote_units)
        if base_fee:
            transfer(buyer, FEES, instrument.base, base_fee)
        if quote_fee:
            transfer(seller, FEES, instrument.quote, quote_fee)

    def _apply_signature(self, event: SignatureUsed) -> None:
        self.signatures[event.digest] = event.expires_ms
        while next(iter(self.signatures.values())) < event.used_ms:
            self.signatures.popitem(last=False)

    def _apply_canceled(self, event: OrderCanceled) -> Order:
        order = self.orders[event.order_id]
        lots = order.remaining_lots
        order.cancel(self.time_ns)
        self._give_up(order, lots)
        return order

    def _give_up(self, order: Order, lots: int) -> None:
        """After a fill or a cancel: release the reserve of `lots`, and let a closed order go."""
        instrument = self.instruments[order.symbol]
        units = instrument.reserved_units(order.side, lots, order.limit_ticks)
        if units:
            self.ledger.release(order.account, instrument.reserved_asset(order.side), units)
        if order.type.rests:
            self.books[order.symbol].half(order.side).reduce(order, lots)
        if not order.is_open:
            del self.orders[order.order_id]
            del self._open_by_account[order.account][order.order_id]

    # What is asked about.

    def find(
        self, account: str, order_id: int | None, client_order_id: str | None = None
    ) -> Order | None:
        """The account's order: an open one by its id, any by its client id."""
        if order_id is not None:
            order = self.orders.get(order_id)
            return order if order is not None and order.account == account else None
        if client_order_id is None:
            return None
        return self._by_client_order_id.get((account, client_order_id))

    def open_orders(self, account: str) -> Iterator[Order]:
        """The account's open orders, oldest first."""
        return iter(self._open_by_account.get(account, {}).values())

    # The whole, as one value.

    def state(self) -> ExchangeState:
        """What stands now. Only between commits."""
        kept = {order.order_id: order for order in self._by_client_order_id.values()}
        kept.update(self.orders)
        return ExchangeState(
            seq=self.seq,
            time_ns=self.time_ns,
            minute_ns=self.minute_ns,
            last_order_id=self._last_order_id,
            instruments=tuple(self.instruments.values()),
            last_trade_ids=tuple(sorted(self._last_trade_ids.items())),
            balances=tuple(
                (account, tuple((asset, balances[asset].units) for asset in sorted(balances)))
                for account, balances in sorted(self.ledger.accounts().items())
            ),
            orders=tuple(kept[order_id].view() for order_id in sorted(kept)),
            deposit_references=tuple(sorted(self._deposit_references)),
            signatures=tuple(self.signatures.items()),
        )

    def restore(self, state: ExchangeState) -> None:
        """Be, from empty, what another exchange was. Asserts the invariants of what it is then."""
        assert self.seq == 0, f"an exchange at {self.seq} can't be restored"
        self.seq = state.seq
        self.time_ns = state.time_ns
        self.minute_ns = state.minute_ns
        self._last_order_id = state.last_order_id
        self._last_trade_ids.update(state.last_trade_ids)
        self._deposit_references.update(state.deposit_references)
        self.signatures.update(state.signatures)
        for instrument in state.instruments:
            self.instruments[instrument.symbol] = instrument
            self.books[instrument.symbol] = Book()
        for account, balances in state.balances:
            self.ledger.restore(account, balances)
        self.ledger.check_all_conserved()
        for view in state.orders:
            order = Order.restored(view)
            if order.client_order_id is not None:
                self._by_client_order_id[order.account, order.client_order_id] = order
            if order.is_open:
                self._add(order)
        for symbol, book in self.books.items():
            book.check_not_crossed(symbol)


def _is_same(order: Order, command: PlaceOrder) -> bool:
    return (order.symbol, order.side, order.type, order.lots, order.limit_ticks) == (
        command.symbol,
        command.side,
        command.type,
        command.lots,
        command.limit_ticks,
    )


def _name_used(earlier: Order, name: str) -> Refused:
    return Refused(
        ErrorCode.CLIENT_ORDER_ID_USED,
        f"{name} is order {earlier.order_id}: {earlier.side} {earlier.lots} lots of "
        f"{earlier.symbol}, {earlier.type} at {earlier.limit_ticks} ticks",
    )


def _steps(instrument: Instrument) -> tuple[str, str, str, str]:
    return (
        instrument.base,
        instrument.quote,
        instrument.tick_size.text(1),
        instrument.lot_size.text(1),
    )
