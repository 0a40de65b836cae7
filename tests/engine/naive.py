"""A second exchange, as simple as can be, to hold the real one against. Knows nothing of the engine.

It keeps lists, looks through all of them each time, sorts whenever it needs an order, and derives
reserves, costs and fees from the documents (protocol §1 and §9).
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

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
    Deposited,
    InstrumentListed,
    MinuteBegan,
    OrderCanceled,
    OrderPlaced,
    SignatureUsed,
    Traded,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode

LARGEST = 2**63 - 1
MINUTE_NS = 60_000_000_000
UNITS = 10**8
"""Of an asset."""


@dataclass
class NaiveOrder:
    """An order, open or not."""

    id: int
    asked: PlaceOrder
    left: int
    fills: list[tuple[int, int]] = field(default_factory=list)
    """Lots and ticks."""


class NaiveExchange:
    """Does a command at once, and says what happened or gives the code of its refusal."""

    def __init__(self, open_orders_max: int) -> None:
        self.open_orders_max = open_orders_max
        self.happened: list[AnyEvent] = []
        """Through the present command."""
        self.minute_ns = 0
        self.instruments: list[Instrument] = []
        self.accounts: list[str] = []
        self.deposits: list[Deposit] = []
        self.orders: list[NaiveOrder] = []
        """Those that are open."""
        self.named: list[NaiveOrder] = []
        """Those that have a name, open or not."""
        self.money: dict[tuple[str, str], int] = {}
        """Units by account and asset."""
        self.last_id = 0
        self.last_trades: dict[str, int] = {}

    def execute(self, command: Command) -> list[AnyEvent] | ErrorCode:
        """Do it, or say why not."""
        self.happened = []
        refused = self._execute(command)
        self.orders = [order for order in self.orders if order.left]
        return refused or self.happened

    def _execute(self, command: Command) -> ErrorCode | None:
        match command:
            case PlaceOrder():
                return self._place(command)
            case CancelOrder():
                return self._cancel(command)
            case CancelAll():
                return self._cancel_all(command)
            case Deposit():
                return self._deposit(command)
            case OpenAccount(account=account):
                if account in ("", "fees", "outside"):
                    return ErrorCode.BAD_REQUEST
                if account not in self.accounts:
                    self.accounts.append(account)
                    self.happened.append(AccountOpened(account))
            case ListInstrument(instrument=instrument):
                return self._list(instrument)
            case RememberSignature():
                used = SignatureUsed(command.digest, command.used_ms, command.expires_ms)
                self.happened.append(used)
            case AdvanceClock(minute_ns=time_ns):
                if time_ns >= self.minute_ns + MINUTE_NS:
                    self.minute_ns = time_ns // MINUTE_NS * MINUTE_NS
                    self.happened.append(MinuteBegan(self.minute_ns))
        return None

    # What can be seen.

    def owned(self, account: str, asset: str) -> int:
        """Units that the account has."""
        return self.money.get((account, asset), 0)

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
        if asked.symbol not in [instrument.symbol for instrument in self.instruments]:
            return ErrorCode.UNKNOWN_SYMBOL
        if asked.account not in self.accounts:
            return ErrorCode.UNAUTHORIZED
        earlier = self._named(asked.account, asked.client_order_id)
        if earlier is not None:
            return None if earlier.asked == asked else ErrorCode.CLIENT_ORDER_ID_USED
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

    def _cancel(self, asked: CancelOrder) -> ErrorCode | None:
        for order in self.orders:
            is_meant = order.id == asked.order_id
            if asked.order_id is None and asked.client_order_id is not None:
                is_meant = order.asked.client_order_id == asked.client_order_id
            if is_meant and order.asked.account == asked.account:
                self._end(order, CancelReason.BY_OWNER)
                return None
        return ErrorCode.UNKNOWN_ORDER

    def _cancel_all(self, asked: CancelAll) -> ErrorCode | None:
        listed = [instrument.symbol for instrument in self.instruments]
        if asked.symbol is not None and asked.symbol not in listed:
            return ErrorCode.UNKNOWN_SYMBOL
        for order in self.open_orders():
            if order.asked.account == asked.account and asked.symbol in (None, order.asked.symbol):
                self._end(order, CancelReason.BY_OWNER)
        return None

    def _deposit(self, asked: Deposit) -> ErrorCode | None:
        if asked.account not in self.accounts:
            return ErrorCode.BAD_REQUEST
        for made in self.deposits:
            if (made.account, made.reference) == (asked.account, asked.reference):
                return None
        total = sum(made.units for made in self.deposits if made.asset == asked.asset)
        if asked.units < 1 or total + asked.units > LARGEST:
            return ErrorCode.BAD_REQUEST
        self.deposits.append(asked)
        self.happened.append(Deposited(asked.account, asked.asset, asked.units, asked.reference))
        self._pay("outside", asked.account, asked.asset, asked.units)
        return None

    def _list(self, new: Instrument) -> ErrorCode | None:
        for old in self.instruments:
            if old.symbol == new.symbol:
                same_assets = (old.base, old.quote) == (new.base, new.quote)
                if not same_assets or _tick(old) != _tick(new) or _lot(old) != _lot(new):
                    return ErrorCode.BAD_REQUEST
        if new not in self.instruments:
            self.instruments = [old for old in self.instruments if old.symbol != new.symbol] + [new]
            self.happened.append(InstrumentListed(new))
        return None

    # Rules.

    def _is_good(self, asked: PlaceOrder) -> bool:
        instrument = self._instrument(asked.symbol)
        name, ticks = asked.client_order_id, asked.limit_ticks
        return (
            instrument.min_lots <= asked.lots <= instrument.max_lots
            and (ticks == 0 if asked.type is OrderType.MARKET else ticks > 0)
            and _cost(instrument, asked.lots, ticks) <= LARGEST
            and (name is None or 0 < len(name) <= 36)
        )

    def _would_take(self, asked: PlaceOrder) -> tuple[list[tuple[NaiveOrder, int]], bool]:
        """Whom it takes how much from, and whether its owner's order came in the way, lot by lot."""
        takes: list[tuple[NaiveOrder, int]] = []
        left = asked.lots
        instrument = self._instrument(asked.symbol)
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
                    purse -= _cost(instrument, 1, ticks)
                    if purse < 0:
                        return takes + [(resting, taken)] * (taken > 0), False
                taken, left = taken + 1, left - 1
            if taken:
                takes.append((resting, taken))
        return takes, False

    def _trade(self, maker: NaiveOrder, taker: NaiveOrder, lots: int) -> None:
        symbol, ticks = maker.asked.symbol, maker.asked.limit_ticks
        instrument = self._instrument(symbol)
        goods = _goods(instrument, lots)
        price = _cost(instrument, lots, ticks)
        fees = []
        for order, rate in ((maker, instrument.maker_fee_e8), (taker, instrument.taker_fee_e8)):
            order.left -= lots
            order.fills.append((lots, ticks))
            buys = order.asked.side is Side.BUY
            gets, asset = (goods, instrument.base) if buys else (price, instrument.quote)
            fee = ceil(gets * Fraction(rate, 10**8))
            fees.append(fee)
            self._pay("outside", order.asked.account, asset, gets)
            self._pay(order.asked.account, "fees", asset, fee)
            gives, asset = (price, instrument.quote) if buys else (goods, instrument.base)
            self._pay(order.asked.account, "outside", asset, gives)
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

    def _pay(self, giver: str, taker: str, asset: str, units: int) -> None:
        self.money[giver, asset] = self.owned(giver, asset) - units
        self.money[taker, asset] = self.owned(taker, asset) + units

    # Look-ups.

    def _instrument(self, symbol: str) -> Instrument:
        return next(each for each in self.instruments if each.symbol == symbol)

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
        instrument = self._instrument(asked.symbol)
        return instrument.quote if asked.side is Side.BUY else instrument.base

    def _needs(self, asked: PlaceOrder, lots: int) -> int:
        instrument = self._instrument(asked.symbol)
        if asked.side is Side.BUY:
            return _cost(instrument, lots, asked.limit_ticks)
        return _goods(instrument, lots)


def _cost(instrument: Instrument, lots: int, ticks: int) -> int:
    """Units of the quote asset."""
    tick, lot = instrument.tick_size, instrument.lot_size
    mantissa = lots * lot.mantissa * ticks * tick.mantissa
    return _whole(mantissa, lot.decimals + tick.decimals)


def _goods(instrument: Instrument, lots: int) -> int:
    """Units of the base asset."""
    return _whole(lots * instrument.lot_size.mantissa, instrument.lot_size.decimals)


def _whole(mantissa: int, decimals: int) -> int:
    units, rest = divmod(mantissa * UNITS, 10**decimals)
    assert rest == 0, f"{mantissa} / 10^{decimals} is no whole number of units"
    return int(units)


def _tick(instrument: Instrument) -> Fraction:
    return Fraction(instrument.tick_size.mantissa, 10**instrument.tick_size.decimals)


def _lot(instrument: Instrument) -> Fraction:
    return Fraction(instrument.lot_size.mantissa, 10**instrument.lot_size.decimals)
