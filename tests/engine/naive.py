"""A second exchange, as simple as can be, to hold the real one against. Knows nothing of the engine.

It keeps lists, looks through all of them each time, sorts whenever it needs an order, and derives
reserves, costs and fees from the documents (protocol §1 and §9).
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from jayx_stream.model.commands import (
    AdvanceClock,
    AmendOrder,
    CancelAll,
    CancelAsOperator,
    CancelOrder,
    Command,
    HaltTrading,
    PlaceOrder,
    RememberSignature,
)
from jayx_stream.model.events import (
    AnyEvent,
    CancelReason,
    MinuteBegan,
    OrderAmended,
    OrderCanceled,
    OrderPlaced,
    SignatureUsed,
    Traded,
)
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode
from tests.engine.naive_venue import LARGEST, NaiveVenue, cost, goods

MINUTE_NS = 60_000_000_000


@dataclass
class NaiveOrder:
    """An order, open or not."""

    id: int
    asked: PlaceOrder
    left: int
    fills: list[tuple[int, int]] = field(default_factory=list)
    """Lots and ticks."""
    given_up: int = 0
    """Lots, by amendments."""

    @property
    def size(self) -> int:
        return self.asked.lots - self.given_up

    @property
    def executed(self) -> int:
        return sum(lots for lots, _ in self.fills)


class NaiveExchange:
    """Does a command at once, and says what happened or gives the code of its refusal."""

    def __init__(self, open_orders_max: int) -> None:
        self.open_orders_max = open_orders_max
        self.venue = NaiveVenue()
        self.minute_ns = 0
        self.orders: list[NaiveOrder] = []
        """Those that are open."""
        self.named: list[NaiveOrder] = []
        """Those that have a name, open or not."""
        self.last_id = 0
        self.last_trades: dict[str, int] = {}

    def execute(self, command: Command) -> list[AnyEvent] | ErrorCode:
        """Do it, or say why not."""
        self.happened = self.venue.happened = []
        refused = self._execute(command)
        self.orders = [order for order in self.orders if order.left]
        return refused or self.happened

    def _execute(self, command: Command) -> ErrorCode | None:
        match command:
            case PlaceOrder():
                return self._place(command)
            case CancelOrder():
                return self._cancel(command)
            case AmendOrder():
                return self._amend(command)
            case CancelAll():
                return self._cancel_all(command)
            case CancelAsOperator():
                return self._cancel_as_operator(command)
            case RememberSignature():
                used = SignatureUsed(command.digest, command.used_ms, command.expires_ms)
                self.happened.append(used)
            case AdvanceClock(minute_ns=time_ns):
                if time_ns >= self.minute_ns + MINUTE_NS:
                    self.minute_ns = time_ns // MINUTE_NS * MINUTE_NS
                    self.happened.append(MinuteBegan(self.minute_ns))
            case _:
                refused = self.venue.execute(command, self._free)
                if isinstance(command, HaltTrading) and command.cancel_orders:
                    for order in self.open_orders():
                        if order.asked.symbol == command.symbol:
                            self._end(order, CancelReason.HALTED)
                return refused
        return None

    # What can be seen.

    def owned(self, account: str, asset: str) -> int:
        """Units that the account has."""
        return self.venue.owned(account, asset)

    def reserved(self, account: str, asset: str) -> int:
        """Units that its open orders may have to give."""
        return sum(self._needs(order.asked, order.left) for order in self._open(account, asset))

    def open_orders(self) -> list[NaiveOrder]:
        """All that are open, oldest first."""
        return sorted((order for order in self.orders if order.left), key=lambda each: each.id)

    def book(self, symbol: str, side: Side) -> list[NaiveOrder]:
        """The resting orders of one side, as they would trade."""
        orders = [
            order
            for order in self.open_orders()
            if order.asked.symbol == symbol and order.asked.side is side
        ]
        best_first = -1 if side is Side.BUY else 1
        return sorted(orders, key=lambda each: (best_first * each.asked.limit_ticks, each.id))

    # Commands.

    def _place(self, asked: PlaceOrder) -> ErrorCode | None:
        if not self.venue.lists(asked.symbol):
            return ErrorCode.UNKNOWN_SYMBOL
        if asked.account not in self.venue.accounts:
            return ErrorCode.UNAUTHORIZED
        earlier = self._named(asked.account, asked.client_order_id)
        if earlier is not None:
            return None if earlier.asked == asked else ErrorCode.CLIENT_ORDER_ID_USED
        if asked.symbol in self.venue.halted:
            return ErrorCode.MARKET_HALTED
        own = [
            order for order in self.orders if order.left and order.asked.account == asked.account
        ]
        rests = asked.type in (OrderType.LIMIT, OrderType.POST_ONLY)
        if rests and len(own) >= self.open_orders_max:
            return ErrorCode.TOO_MANY_ORDERS
        if not self._is_good(asked):
            return ErrorCode.BAD_ORDER
        if self._needs(asked, asked.lots) > self._free(asked.account, self._gives(asked)):
            return ErrorCode.INSUFFICIENT_BALANCE
        takes, stopped_by_own = self._would_take(asked)
        if asked.type is OrderType.POST_ONLY and (takes or stopped_by_own):
            return ErrorCode.WOULD_TAKE
        if asked.type is OrderType.MARKET and asked.side is Side.BUY:
            opposite = self.book(asked.symbol, Side.SELL)
            if opposite and not takes and not stopped_by_own:
                return ErrorCode.INSUFFICIENT_BALANCE
        if asked.type is OrderType.FOK and sum(lots for _, lots in takes) < asked.lots:
            takes, stopped_by_own = [], False
        self._enter(asked, takes, stopped_by_own)
        return None

    def _enter(
        self, asked: PlaceOrder, takes: list[tuple[NaiveOrder, int]], stopped_by_own: bool
    ) -> None:
        self.last_id += 1
        order = NaiveOrder(self.last_id, asked, asked.lots)
        self.orders.append(order)
        if asked.client_order_id is not None:
            self.named.append(order)
        self.happened.append(
            OrderPlaced(
                order_id=order.id,
                account=asked.account,
                symbol=asked.symbol,
                side=asked.side,
                type=asked.type,
                lots=asked.lots,
                limit_ticks=asked.limit_ticks,
                client_order_id=asked.client_order_id,
            )
        )
        for resting, lots in takes:
            self._trade(resting, order, lots)
        if order.left and stopped_by_own:
            self._end(order, CancelReason.SELF_TRADE)
        elif order.left and asked.type in (OrderType.MARKET, OrderType.IOC, OrderType.FOK):
            self._end(order, CancelReason.REMAINDER)

    def _amend(self, asked: AmendOrder) -> ErrorCode | None:
        order = self._meant(asked)
        if order is None:
            return ErrorCode.UNKNOWN_ORDER
        if asked.lots == order.size:
            return None
        least = max(order.executed, self.venue.instrument(order.asked.symbol).min_lots)
        if not least <= asked.lots < order.size:
            return ErrorCode.BAD_ORDER
        order.given_up = order.asked.lots - asked.lots
        order.left = asked.lots - order.executed
        self.happened.append(OrderAmended(order.id, asked.lots))
        return None

    def _cancel(self, asked: CancelOrder) -> ErrorCode | None:
        order = self._meant(asked)
        if order is None:
            return ErrorCode.UNKNOWN_ORDER
        self._end(order, CancelReason.BY_OWNER)
        return None

    def _meant(self, asked: AmendOrder | CancelOrder) -> NaiveOrder | None:
        for order in self.orders:
            is_meant = order.id == asked.order_id
            if asked.order_id is None and asked.client_order_id is not None:
                is_meant = order.asked.client_order_id == asked.client_order_id
            if is_meant and order.asked.account == asked.account:
                return order
        return None

    def _cancel_all(self, asked: CancelAll) -> ErrorCode | None:
        if not self.venue.lists(asked.symbol):
            return ErrorCode.UNKNOWN_SYMBOL
        for order in self.open_orders():
            if order.asked.account == asked.account and asked.symbol in (None, order.asked.symbol):
                self._end(order, CancelReason.BY_OWNER)
        return None

    def _cancel_as_operator(self, asked: CancelAsOperator) -> ErrorCode | None:
        if asked == CancelAsOperator() or asked.account not in (None, *self.venue.accounts):
            return ErrorCode.BAD_REQUEST
        if not self.venue.lists(asked.symbol):
            return ErrorCode.UNKNOWN_SYMBOL
        if asked.order_id not in (None, *(order.id for order in self.open_orders())):
            return ErrorCode.UNKNOWN_ORDER
        for order in self.open_orders():
            if (
                asked.order_id in (None, order.id)
                and asked.account in (None, order.asked.account)
                and asked.symbol in (None, order.asked.symbol)
            ):
                self._end(order, CancelReason.BY_OPERATOR)
        return None

    # Rules.

    def _is_good(self, asked: PlaceOrder) -> bool:
        instrument = self.venue.instrument(asked.symbol)
        name, ticks = asked.client_order_id, asked.limit_ticks
        return (
            instrument.min_lots <= asked.lots <= instrument.max_lots
            and (ticks == 0 if asked.type is OrderType.MARKET else ticks > 0)
            and cost(instrument, asked.lots, ticks) <= LARGEST
            and (name is None or 0 < len(name) <= 36)
        )

    def _would_take(self, asked: PlaceOrder) -> tuple[list[tuple[NaiveOrder, int]], bool]:
        """Whom it takes how much from, and whether its owner's order came in the way, lot by lot."""
        takes: list[tuple[NaiveOrder, int]] = []
        left = asked.lots
        instrument = self.venue.instrument(asked.symbol)
        purse = self._free(asked.account, instrument.quote)
        opposite = Side.SELL if asked.side is Side.BUY else Side.BUY
        for resting in self.book(asked.symbol, opposite):
            ticks = resting.asked.limit_ticks
            if asked.type is not OrderType.MARKET:
                too_dear = asked.side is Side.BUY and ticks > asked.limit_ticks
                too_cheap = asked.side is Side.SELL and ticks < asked.limit_ticks
                if too_dear or too_cheap:
                    break
            if left and resting.asked.account == asked.account:
                return takes, True
            taken = 0
            while left and taken < resting.left:
                if asked.type is OrderType.MARKET and asked.side is Side.BUY:
                    purse -= cost(instrument, 1, ticks)
                    if purse < 0:
                        return takes + [(resting, taken)] * (taken > 0), False
                taken, left = taken + 1, left - 1
            if taken:
                takes.append((resting, taken))
        return takes, False

    def _trade(self, maker: NaiveOrder, taker: NaiveOrder, lots: int) -> None:
        symbol, ticks = maker.asked.symbol, maker.asked.limit_ticks
        instrument = self.venue.instrument(symbol)
        wares = goods(instrument, lots)
        price = cost(instrument, lots, ticks)
        fees = []
        for order, rate in ((maker, instrument.maker_fee_e8), (taker, instrument.taker_fee_e8)):
            order.left -= lots
            order.fills.append((lots, ticks))
            buys = order.asked.side is Side.BUY
            gets, asset = (wares, instrument.base) if buys else (price, instrument.quote)
            fee = ceil(gets * Fraction(rate, 10**8))
            fees.append(fee)
            self.venue.pay("outside", order.asked.account, asset, gets)
            self.venue.pay(order.asked.account, "fees", asset, fee)
            gives, asset = (price, instrument.quote) if buys else (wares, instrument.base)
            self.venue.pay(order.asked.account, "outside", asset, gives)
        self.last_trades[symbol] = self.last_trades.get(symbol, 0) + 1
        self.happened.append(
            Traded(
                trade_id=self.last_trades[symbol],
                symbol=symbol,
                side=taker.asked.side,
                lots=lots,
                ticks=ticks,
                maker_order_id=maker.id,
                taker_order_id=taker.id,
                maker_fee_units=fees[0],
                taker_fee_units=fees[1],
            )
        )

    def _end(self, order: NaiveOrder, reason: CancelReason) -> None:
        order.left = 0
        self.happened.append(OrderCanceled(order.id, reason))

    # Look-ups.

    def _named(self, account: str, name: str | None) -> NaiveOrder | None:
        for order in self.named:
            asked = order.asked
            if name is not None and (asked.account, asked.client_order_id) == (account, name):
                return order
        return None

    def _open(self, account: str, asset: str) -> list[NaiveOrder]:
        return [
            order
            for order in self.orders
            if order.left and order.asked.account == account and self._gives(order.asked) == asset
        ]

    def _free(self, account: str, asset: str) -> int:
        return self.owned(account, asset) - self.reserved(account, asset)

    def _gives(self, asked: PlaceOrder) -> str:
        instrument = self.venue.instrument(asked.symbol)
        return instrument.quote if asked.side is Side.BUY else instrument.base

    def _needs(self, asked: PlaceOrder, lots: int) -> int:
        instrument = self.venue.instrument(asked.symbol)
        if asked.side is Side.BUY:
            return cost(instrument, lots, asked.limit_ticks)
        return goods(instrument, lots)
