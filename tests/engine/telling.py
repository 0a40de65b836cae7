"""Tells a story: reads the commands of `tests/scenarios`, and writes what the exchange makes of them."""

from hashlib import sha256

from jayx_stream.engine.book import HalfBook
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
    PlaceOrder,
    ResumeTrading,
    RevokeKey,
    Withdraw,
)
from jayx_stream.model.events import (
    AccountOpened,
    AnyEvent,
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
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import MINUTE_NS, NS_PER_S
from tests.engine import invariants
from tests.engine.driving import Driver

OPEN_ORDERS_MAX = 4
SYMBOL = "OILUSD"
"""What an order is for, and a `book` of, unless a symbol is given."""


class Story:
    """One exchange, and the names that the story has for its orders."""

    def __init__(self) -> None:
        self.driver = Driver(open_orders_max=OPEN_ORDERS_MAX)
        self._names: dict[int, str] = {}
        self._orders: dict[int, Order] = {}

    def tell(self, text: str) -> list[str]:
        """What comes of each line; those that begin with `#` and empty ones are for readers only."""
        told: list[str] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                told += self._tell(line)
                invariants.check(self.driver.exchange)
        return told

    def _tell(self, line: str) -> list[str]:
        words = [word for word in line.split() if "=" not in word]
        options = dict(word.split("=", 1) for word in line.split() if "=" in word)
        match words:
            case ["wait", seconds]:
                self.driver.time_ns += int(seconds) * NS_PER_S
                return []
            case ["book", *symbol]:
                return self._book(*symbol)
            case ["balances", account]:
                return [self._balances(account)]
            case ["orders", account]:
                orders = self.driver.exchange.open_orders(account)
                return [f"{account} has {self._describe(order)}" for order in orders] or [
                    f"{account} has no open orders"
                ]
            case _:
                return self._ask(self._command(words, options), options)

    def _ask(self, command: Command, options: dict[str, str]) -> list[str]:
        before = len(self.driver.commits)
        answer = self.driver.ask(command)
        events = [event for commit in self.driver.commits[before:] for event in commit.events]
        if isinstance(answer, Refused):
            return [*map(self._event, events), f"refused {answer.code}: {answer.reason}"]
        for order in answer:
            self._orders[order.order_id] = order
            name = options.get("id") or order.client_order_id or f"#{order.order_id}"
            self._names.setdefault(order.order_id, name)
        if not events and isinstance(command, PlaceOrder):
            return [f"earlier {self._describe(order)}" for order in answer]
        if not events and isinstance(command, AmendOrder):
            return [f"unchanged {self._describe(order)}" for order in answer]
        return [*map(self._event, events)] or ["nothing"]

    # Commands.

    def _command(self, words: list[str], options: dict[str, str]) -> Command:
        match words:
            case ["place", account, side, lots, *how]:
                return PlaceOrder(
                    account=account,
                    symbol=options.get("symbol", SYMBOL),
                    side=Side[side.upper()],
                    type=OrderType(how[-1]) if how[-1].isupper() else OrderType.LIMIT,
                    lots=int(lots),
                    limit_ticks=int(how[1]) if how[0] == "@" else 0,
                    client_order_id=options.get("name"),
                )
            case ["amend", account, lots]:
                name = options["name"]
                return AmendOrder(account=account, client_order_id=name, lots=int(lots))
            case ["amend", account, order, lots]:
                return AmendOrder(account=account, order_id=self._id(order), lots=int(lots))
            case ["cancel", account]:
                return CancelOrder(account=account, client_order_id=options["name"])
            case ["cancel", account, order]:
                return CancelOrder(account=account, order_id=self._id(order))
            case ["cancelall", account]:
                return CancelAll(account=account, symbol=options.get("symbol"))
            case ["minute", number]:
                return AdvanceClock(minute_ns=int(number) * MINUTE_NS)
            case _:
                return self._operators_command(words, options)

    def _operators_command(self, words: list[str], options: dict[str, str]) -> Command:
        reference = options.get("ref", f"#{self.driver.exchange.seq}")
        match words:
            case ["operator", "cancel"]:
                order = options.get("order")
                return CancelAsOperator(
                    order_id=None if order is None else self._id(order),
                    account=options.get("account"),
                    symbol=options.get("symbol"),
                )
            case ["open", account]:
                return OpenAccount(account=account.strip('"'))
            case ["deposit", account, units, asset]:
                return Deposit(account=account, asset=asset, units=int(units), reference=reference)
            case ["withdraw", account, units, asset]:
                return Withdraw(account=account, asset=asset, units=int(units), reference=reference)
            case ["list", symbol, base, quote]:
                return ListInstrument(instrument=_instrument(symbol, base, quote, options))
            case ["halt", symbol, *how]:
                return HaltTrading(symbol=symbol, cancel_orders=how == ["cancel"])
            case ["resume", symbol]:
                return ResumeTrading(symbol=symbol)
            case ["key", account, text]:
                return AddKey(key=_key(account, text, options))
            case ["revoke", text]:
                return RevokeKey(key_id=_key("", text, {}).key_id)
            case _:
                raise ValueError(f"no such command: {' '.join(words)}")

    def _id(self, order: str) -> int:
        ids = {name: order_id for order_id, name in self._names.items()}
        return ids.get(order) or int(order)

    # What came of them.

    def _event(self, event: AnyEvent) -> str:
        match event:
            case OrderPlaced():
                return f"accepted {self._terms(self._orders[event.order_id])}"
            case Traded():
                taker, maker = self._names[event.taker_order_id], self._names[event.maker_order_id]
                return (
                    f"trade {taker} takes {maker} {event.lots} @ {event.ticks}{self._fees(event)}"
                )
            case OrderCanceled():
                order = self._orders[event.order_id]
                left_lots = order.lots - order.executed_lots
                return f"canceled {self._names[event.order_id]} {left_lots} left {event.reason}"
            case OrderAmended():
                return f"amended {self._describe(self._orders[event.order_id])}"
            case MinuteBegan():
                return f"minute {event.minute_ns // MINUTE_NS}"
            case SignatureUsed():
                return f"used {event.digest.hex()}"
            case _:
                return self._operators_event(event)

    @staticmethod
    def _operators_event(event: OperatorEvent) -> str:
        match event:
            case Deposited():
                return f"deposited {event.account} {event.units} {event.asset}"
            case Withdrawn():
                return f"withdrawn {event.account} {event.units} {event.asset}"
            case AccountOpened():
                return f"opened {event.account}"
            case InstrumentListed():
                return f"listed {event.instrument.symbol}"
            case TradingHalted():
                return f"halted {event.symbol}"
            case TradingResumed():
                return f"resumed {event.symbol}"
            case KeyAdded():
                return f"key {event.key.key_id} of {event.key.account}"
            case KeyRevoked():
                return f"revoked {event.key_id}"

    def _fees(self, event: Traded) -> str:
        instrument = self.driver.exchange.instruments[event.symbol]
        if not instrument.maker_fee_e8 and not instrument.taker_fee_e8:
            return ""
        gets = (instrument.base, instrument.quote)
        taker_asset, maker_asset = gets if event.side is Side.BUY else reversed(gets)
        maker_fee = f"{event.maker_fee_units} {maker_asset}"
        return f", fees: taker {event.taker_fee_units} {taker_asset}, maker {maker_fee}"

    def _terms(self, order: Order) -> str:
        price = f" @ {order.limit_ticks}" if order.limit_ticks else ""
        type = f" {order.type}" if order.type is not OrderType.LIMIT else ""
        symbol = f" {order.symbol}" if order.symbol != SYMBOL else ""
        return (
            f"{self._names[order.order_id]} {order.side.lower()} {order.lots}{price}{type}{symbol}"
        )

    def _describe(self, order: Order) -> str:
        return f"{self._terms(order)}, {order.state} {order.executed_lots} of {order.lots}"

    def _book(self, symbol: str = SYMBOL) -> list[str]:
        book = self.driver.exchange.books[symbol]
        asks, bids = (
            self._levels("ask", book.half(Side.SELL)),
            self._levels("bid", book.half(Side.BUY)),
        )
        return [*reversed(asks), *bids] or ["book empty"]

    def _levels(self, word: str, half: HalfBook) -> list[str]:
        return [
            f"{word} {level.ticks}: "
            + ", ".join(
                f"{self._names[order.order_id]} {order.remaining_lots}"
                for order in level.orders.values()
            )
            for level in half.levels()
        ]

    def _balances(self, account: str) -> str:
        balances = self.driver.exchange.ledger.balances(account)
        parts = [
            f"{balance.units} {asset}"
            + (f" ({balance.reserved_units} reserved)" if balance.reserved_units else "")
            for asset, balance in sorted(balances.items())
        ]
        return f"{account} has {', '.join(parts) or 'nothing'}"


def _key(account: str, text: str, options: dict[str, str]) -> Key:
    """`like`: another text, whose key id this one is to have."""
    digest = sha256(text.encode()).digest()
    if "like" in options:
        digest = sha256(options["like"].encode()).digest()[:6] + digest[6:]
    return Key(digest, account, KeyKind.HMAC, b"secret", (Permission.READ, Permission.TRADE))


def _instrument(symbol: str, base: str, quote: str, options: dict[str, str]) -> Instrument:
    return Instrument.define(
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=options.get("tick", "1"),
        lot_size=options.get("lot", "0.00000001"),
        min_lots=int(options.get("min", 1)),
        max_lots=int(options.get("max", 1000)),
        maker_fee=options.get("maker", "0"),
        taker_fee=options.get("taker", "0"),
    )
