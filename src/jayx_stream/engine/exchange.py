"""The exchange: `decide` reads state and names the events, `apply` is the only place where state changes.

Recovery is `apply` over the journal, so that a replay can't disagree with life.
"""

from collections import OrderedDict
from collections.abc import Iterator

from jayx_stream.engine.changing import (
    decide_amend,
    decide_cancel,
    decide_cancel_all,
    decide_cancel_as_operator,
)
from jayx_stream.engine.invariants import check_trades
from jayx_stream.engine.keyring import Keyring
from jayx_stream.engine.ledger import FEES, Ledger, move
from jayx_stream.engine.listings import Listings
from jayx_stream.engine.orders import AllOrders, LiveOrder
from jayx_stream.engine.placing import decide_place
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
from jayx_stream.model.order import Order
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
        self.ledger = Ledger()
        self._fees = self.ledger.account(FEES)
        self.listings = Listings(self.ledger)
        self.instruments = self.listings.instruments
        self.markets = self.listings.markets
        self.books = self.listings.books
        self.transfers = Transfers(self.ledger)
        self.keyring = Keyring(self.ledger)
        self.all_orders = AllOrders(self.ledger)
        self.orders = self.all_orders.open
        self.signatures: OrderedDict[bytes, int] = OrderedDict()
        """Those used lately, and when they expire, in milliseconds; in the order of their use."""
        self._last_order_id = 0
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
        market = self.markets.get(symbol)
        if market is None:
            return Refused(ErrorCode.UNKNOWN_SYMBOL, f"no instrument {symbol}")
        owner = self.ledger.trader(account)
        if owner is None:
            return Refused(ErrorCode.UNAUTHORIZED, f"no account {account}")
        if command.client_order_id is not None:
            earlier = self.all_orders.named.get((account, command.client_order_id))
            if earlier is not None:
                return self.all_orders.refuse_retry(earlier, command) or ()
        if symbol in self.listings.halted:
            return Refused(ErrorCode.MARKET_HALTED, f"trading of {symbol} is halted")
        count = len(owner.open_orders)
        if 0 < self._open_orders_max <= count and command.type.rests:
            reason = f"{count} orders are open, {self._open_orders_max} are allowed"
            return Refused(ErrorCode.TOO_MANY_ORDERS, reason)
        return decide_place(command, market, owner, order_id=self._last_order_id + 1)

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
        seq, time_ns, events = commit.seq, commit.time_ns, commit.events
        assert seq == self.seq + 1, f"commit {seq} after {self.seq}"
        assert time_ns >= self.time_ns, f"commit {seq} goes back in time"
        self.seq = seq
        self.time_ns = time_ns
        orders: list[Order] = []
        placed: LiveOrder | None = None
        for event in events:
            match event:
                case OrderPlaced():
                    placed = self._apply_placed(event)
                    orders.append(placed)
                case Traded():
                    self._apply_traded(event)
                case OrderCanceled():
                    canceled = self._apply_canceled(event)
                    if canceled is not placed:
                        orders.append(canceled)
                case OrderAmended():
                    orders.append(self._apply_amended(event))
                case MinuteBegan():
                    self.minute_ns = event.minute_ns
                case SignatureUsed():
                    self._apply_signature(event)
                case _:
                    self._apply_operators(event)
        if placed is not None:
            self._rest(placed)
            if len(events) > 1:
                check_trades(placed, events, placed.market)
        return orders

    def _apply_operators(self, event: OperatorEvent) -> None:
        match event:
            case AccountOpened():
                self.ledger.open(event.account)
            case Deposited():
                self.transfers.deposit(event)
            case Withdrawn():
                self.transfers.withdraw(event)
            case InstrumentListed():
                self.listings.list(event.instrument)
            case TradingHalted():
                self.listings.halted.add(event.symbol)
            case TradingResumed():
                self.listings.halted.remove(event.symbol)
            case KeyAdded():
                self.keyring.add(event.key)
            case KeyRevoked():
                self.keyring.revoke(event.key_id)

    def _apply_placed(self, event: OrderPlaced) -> LiveOrder:
        order = LiveOrder(
            event.order_id,
            event.account,
            event.symbol,
            event.side,
            event.type,
            event.lots,
            event.limit_ticks,
            event.client_order_id,
            self.time_ns,
        )
        self._last_order_id = order.order_id
        self.all_orders.name(order)
        self._add(order)
        return order

    def _add(self, order: LiveOrder) -> None:
        """Take an open order in: it reserves."""
        owner = order.owner = self.ledger.account(order.account)
        market = order.market = self.markets[order.symbol]
        is_buy = order.is_buy
        units = market.reserved_units(order.remaining_lots, order.limit_ticks, is_buy=is_buy)
        if units:
            order.reserve = owner.balance(market.gives(is_buy=is_buy))
            order.reserve.reserve(units)
        else:
            order.reserve = None
        order.in_book = False
        self.all_orders.add(order)

    def _rest(self, order: LiveOrder) -> None:
        """Put into the book what is left of an order that has taken what it takes."""
        book = order.market.book
        if order.remaining_lots and order.rests:
            order.in_book = True
            (book.bids if order.is_buy else book.asks).add(order)
        book.check_not_crossed(order.symbol)

    def _apply_traded(self, event: Traded) -> None:
        lots, ticks, time_ns = event.lots, event.ticks, self.time_ns
        maker, taker = self.orders[event.maker_order_id], self.orders[event.taker_order_id]
        maker.fill(lots, ticks, time_ns)
        self._give_up(maker, lots)
        taker.fill(lots, ticks, time_ns)
        self._give_up(taker, lots)
        market = taker.market
        market.last_trade_id = event.trade_id
        if taker.is_buy:
            buyer, seller = taker.owner, maker.owner
            base_fee, quote_fee = event.taker_fee_units, event.maker_fee_units
        else:
            buyer, seller = maker.owner, taker.owner
            base_fee, quote_fee = event.maker_fee_units, event.taker_fee_units
        base, quote = market.base, market.quote
        bought, paid = buyer.balance(base), seller.balance(quote)
        move(seller.balance(base), bought, lots * market.lot_units)
        move(buyer.balance(quote), paid, lots * ticks * market.tick_lot_units)
        if base_fee:
            move(bought, self._fees.balance(base), base_fee)
        if quote_fee:
            move(paid, self._fees.balance(quote), quote_fee)

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

    def _give_up(self, order: LiveOrder, lots: int) -> None:
        """After a fill, an amendment or a cancel: release what `lots` reserve, let a closed order go."""
        market, is_buy = order.market, order.is_buy
        if order.reserve is not None:
            order.reserve.release(market.reserved_units(lots, order.limit_ticks, is_buy=is_buy))
        if order.in_book:
            (market.book.bids if is_buy else market.book.asks).reduce(order, lots)
        if order.remaining_lots == 0:
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
            last_trade_ids=tuple(
                (symbol, market.last_trade_id)
                for symbol, market in sorted(self.markets.items())
                if market.last_trade_id
            ),
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
        self.all_orders.lots_as_placed.update(state.lots_as_placed)
        self.transfers.deposits.update(state.deposit_references)
        for account, reference, asset, units in state.withdrawals:
            self.transfers.withdrawals[account, reference] = (asset, units)
        self.listings.halted.update(state.halted)
        self.keyring.stands.update(state.key_ids)
        self.signatures.update(state.signatures)
        for instrument in state.instruments:
            self.listings.list(instrument)
        for symbol, trade_id in state.last_trade_ids:
            self.markets[symbol].last_trade_id = trade_id
        for account, balances in state.balances:
            self.ledger.restore(account, balances)
        self.ledger.check_all_conserved()
        for view in state.orders:
            order = LiveOrder.restored(view)
            self.all_orders.name(order)
            if order.is_open:
                self._add(order)
                self._rest(order)
