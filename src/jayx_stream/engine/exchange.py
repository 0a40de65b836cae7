"""The exchange: `decide` reads state and names the events, `apply` is the only place where state changes.

Recovery is `apply` over the journal, so that a replay can't disagree with life.
"""

from collections import OrderedDict
from collections.abc import Iterator

from jayx_stream.engine.book import Book
from jayx_stream.engine.changing import (
    decide_amend,
    decide_cancel,
    decide_cancel_all,
    decide_cancel_as_operator,
)
from jayx_stream.engine.invariants import check_trades
from jayx_stream.engine.keyring import Keyring
from jayx_stream.engine.ledger import FEES, Ledger
from jayx_stream.engine.listings import Listings
from jayx_stream.engine.orders import AllOrders
from jayx_stream.engine.placing import Placing
from jayx_stream.engine.state import ExchangeState
from jayx_stream.engine.transfers import Transfers
from jayx_stream.model.commands import (
    AddKey,
    AdvanceClock,
    AmendOrder,
    CancelAll,
    CancelAsOperator,
    CancelOrder,
    Command,
    Deposit,
    HaltTrading,
    ListInstrument,
    OpenAccount,
    OperatorCommand,
    PlaceOrder,
    RememberSignature,
    ResumeTrading,
    RevokeKey,
    Withdraw,
)
from jayx_stream.model.events import (
    AccountOpened,
    AnyEvent,
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
from jayx_stream.model.order import Order, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import MINUTE_NS

Events = tuple[AnyEvent, ...]


class Exchange:
    """All state of one venue's trading: instruments, accounts, balances, orders, books, keys and clock."""

    def __init__(self, *, open_orders_max: int = 20_000) -> None:
        """`open_orders_max`: open orders that one account may have, 0 for no limit."""
        self.seq = 0
        """Number of the last commit applied."""
        self.time_ns = 0
        self.minute_ns = 0
        """Start of the exchange's current minute; 0 before the clock first struck."""
        self.listings = Listings()
        self.instruments = self.listings.instruments
        self.ledger = Ledger()
        self.transfers = Transfers(self.ledger)
        self.keyring = Keyring(self.ledger)
        self.books: dict[str, Book] = {}
        self.all_orders = AllOrders()
        self.orders = self.all_orders.open
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
                return decide_cancel(command, self.all_orders)
            case AmendOrder():
                return decide_amend(command, self.all_orders, self.instruments)
            case CancelAll():
                refused = self.listings.refuse(command.symbol)
                return refused or decide_cancel_all(command, self.all_orders)
            case CancelAsOperator():
                return self._decide_cancel_as_operator(command)
            case AdvanceClock():
                minute_ns = command.minute_ns - command.minute_ns % MINUTE_NS
                return (MinuteBegan(minute_ns),) if minute_ns > self.minute_ns else ()
            case RememberSignature():
                return (SignatureUsed(command.digest, command.used_ms, command.expires_ms),)
            case _:
                return self._decide_as_operator(command)

    def _decide_as_operator(self, command: OperatorCommand) -> Events | Refused:
        match command:
            case OpenAccount():
                return self.transfers.decide_open(command)
            case Deposit():
                return self.transfers.decide_deposit(command)
            case Withdraw():
                return self.transfers.decide_withdraw(command)
            case ListInstrument():
                return self.listings.decide_list(command.instrument)
            case HaltTrading():
                return self.listings.decide_halt(command, self.orders.values())
            case ResumeTrading():
                return self.listings.decide_resume(command.symbol)
            case AddKey():
                return self.keyring.decide_add(command.key)
            case RevokeKey():
                return self.keyring.decide_revoke(command.key_id)

    def _decide_place(self, command: PlaceOrder) -> Events | Refused:
        account, symbol = command.account, command.symbol
        instrument = self.instruments.get(symbol)
        if instrument is None:
            return Refused(ErrorCode.UNKNOWN_SYMBOL, f"no instrument {symbol}")
        if not self.ledger.has(account):
            return Refused(ErrorCode.UNAUTHORIZED, f"no account {account}")
        if command.client_order_id is not None:
            earlier = self.all_orders.named.get((account, command.client_order_id))
            if earlier is not None:
                return self.all_orders.refuse_retry(earlier, command) or ()
        if symbol in self.listings.halted:
            return Refused(ErrorCode.MARKET_HALTED, f"trading of {symbol} is halted")
        count = self.all_orders.count(account)
        if command.type.rests and 0 < self._open_orders_max <= count:
            reason = f"{count} orders are open, {self._open_orders_max} are allowed"
            return Refused(ErrorCode.TOO_MANY_ORDERS, reason)
        return Placing(instrument, self.books[symbol], self.ledger, command).decide(
            order_id=self._last_order_id + 1,
            trade_id=self._last_trade_ids.get(symbol, 0) + 1,
        )

    def _decide_cancel_as_operator(self, command: CancelAsOperator) -> Events | Refused:
        if command.account is not None and not self.ledger.has(command.account):
            return Refused(ErrorCode.BAD_REQUEST, f"no account {command.account}")
        refused = self.listings.refuse(command.symbol)
        return refused or decide_cancel_as_operator(command, self.all_orders)

    def already(self, command: Command) -> tuple[Order, ...]:
        """What answers a command of which nothing came: the orders that it asks for, as they are."""
        match command:
            case PlaceOrder():
                order = self.find(command.account, None, command.client_order_id)
            case AmendOrder():
                order = self.find(command.account, command.order_id, command.client_order_id)
            case _:
                return ()
        assert order is not None, "a change was decided on, but nothing happened"
        return (order,)

    # What happened. The only place where state changes.

    def apply(self, commit: Commit) -> list[Order]:
        """Take a commit in, and give the orders that it placed, amended or canceled. Commits come in order:
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
                case OrderAmended():
                    orders[event.order_id] = self._apply_amended(event)
                case MinuteBegan():
                    self.minute_ns = event.minute_ns
                case SignatureUsed():
                    self._apply_signature(event)
                case _:
                    self._apply_operators(event)
        if placed is not None:
            symbol = placed.symbol
            if len(commit.events) > 1:
                check_trades(placed, commit.events, self.instruments[symbol], self.ledger)
            self.books[symbol].check_not_crossed(symbol)
        return list(orders.values())

    def _apply_operators(self, event: OperatorEvent) -> None:
        match event:
            case AccountOpened():
                self.ledger.open(event.account)
            case Deposited():
                self.transfers.deposit(event)
            case Withdrawn():
                self.transfers.withdraw(event)
            case InstrumentListed():
                self.instruments[event.instrument.symbol] = event.instrument
                self.books.setdefault(event.instrument.symbol, Book())
            case TradingHalted():
                self.listings.halted.add(event.symbol)
            case TradingResumed():
                self.listings.halted.remove(event.symbol)
            case KeyAdded():
                self.keyring.add(event.key)
            case KeyRevoked():
                self.keyring.revoke(event.key_id)

    def _apply_placed(self, event: OrderPlaced) -> Order:
        order = event.order(self.time_ns)
        self._last_order_id = event.order_id
        self.all_orders.name(order)
        self._add(order)
        return order

    def _add(self, order: Order) -> None:
        """Take an open order in: it reserves, and rests if it is of those that do."""
        self.all_orders.add(order)
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

    def _apply_amended(self, event: OrderAmended) -> Order:
        order = self.orders[event.order_id]
        self._give_up(order, self.all_orders.amend(order, event.lots, self.time_ns))
        return order

    def _give_up(self, order: Order, lots: int) -> None:
        """After a fill, an amendment or a cancel: release what `lots` reserve, let a closed order go."""
        instrument = self.instruments[order.symbol]
        units = instrument.reserved_units(order.side, lots, order.limit_ticks)
        if units:
            self.ledger.release(order.account, instrument.reserved_asset(order.side), units)
        if order.type.rests:
            self.books[order.symbol].half(order.side).reduce(order, lots)
        if not order.is_open:
            self.all_orders.close(order)

    # What is asked about.

    def find(
        self, account: str, order_id: int | None, client_order_id: str | None = None
    ) -> Order | None:
        """The account's order: an open one by its id, any by its client id."""
        return self.all_orders.find(account, order_id, client_order_id)

    def open_orders(self, account: str) -> Iterator[Order]:
        """The account's open orders, oldest first."""
        return self.all_orders.open_of(account)

    # The whole, as one value.

    def state(self) -> ExchangeState:
        """What stands now. Only between commits."""
        kept = {order.order_id: order for order in self.all_orders.named.values()}
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
            lots_as_placed=tuple(sorted(self.all_orders.lots_as_placed.items())),
            deposit_references=tuple(sorted(self.transfers.deposits)),
            withdrawals=tuple(
                (*reference, *made)
                for reference, made in sorted(self.transfers.withdrawals.items())
            ),
            halted=tuple(sorted(self.listings.halted)),
            key_ids=tuple(sorted(self.keyring.stands.items())),
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
        self.all_orders.lots_as_placed.update(state.lots_as_placed)
        self.transfers.deposits.update(state.deposit_references)
        for account, reference, asset, units in state.withdrawals:
            self.transfers.withdrawals[account, reference] = (asset, units)
        self.listings.halted.update(state.halted)
        self.keyring.stands.update(state.key_ids)
        self.signatures.update(state.signatures)
        for instrument in state.instruments:
            self.instruments[instrument.symbol] = instrument
            self.books[instrument.symbol] = Book()
        for account, balances in state.balances:
            self.ledger.restore(account, balances)
        self.ledger.check_all_conserved()
        for view in state.orders:
            order = Order.restored(view)
            self.all_orders.name(order)
            if order.is_open:
                self._add(order)
        for symbol, book in self.books.items():
            book.check_not_crossed(symbol)
