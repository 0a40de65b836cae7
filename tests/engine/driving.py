"""Drives an exchange as `app/exchange.py` does, and makes up crowds of commands to drive it with."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from random import Random

from jayx_stream.engine import Exchange
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
from jayx_stream.model.events import Commit
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import MINUTE_NS, NS_PER_S

ACCOUNTS = ("ann", "bob", "cem", "dee")
OPEN_ORDERS_MAX = 12
"""Few, so that crowds run into it."""

KEY_TEXTS = tuple(f"key {number}" for number in range(12))

_NAMES = tuple(f"n{number}" for number in range(300))


class Driver:
    """An exchange with its clock and its journal, in memory."""

    def __init__(self, *, open_orders_max: int = OPEN_ORDERS_MAX) -> None:
        self.exchange = Exchange(open_orders_max=open_orders_max)
        self.commits: list[Commit] = []
        self.time_ns = 0

    def ask(self, command: Command) -> Sequence[Order] | Refused:
        """Decide and apply one command, its minute before it; gives the orders that it is about."""
        if self.time_ns >= self.exchange.minute_ns + MINUTE_NS:
            self._commit(AdvanceClock(minute_ns=self.time_ns))
        return self._commit(command)

    def _commit(self, command: Command) -> Sequence[Order] | Refused:
        events = self.exchange.decide(command)
        if isinstance(events, Refused):
            return events
        if events:
            commit = Commit(self.exchange.seq + 1, self.time_ns, events)
            self.commits.append(commit)
            return self.exchange.apply(commit)
        return self.exchange.already(command)


def instruments(*, maker_fee: str = "0.01", taker_fee: str = "0.025") -> tuple[Instrument, ...]:
    """Two instruments that share an asset: OIL and TIN against USD; a lot of TIN is five units."""
    return (
        Instrument.define(
            symbol="OILUSD",
            base="OIL",
            quote="USD",
            tick_size="1",
            lot_size="0.00000001",
            max_lots=20,
            maker_fee=maker_fee,
            taker_fee=taker_fee,
        ),
        Instrument.define(
            symbol="TINUSD",
            base="TIN",
            quote="USD",
            tick_size="0.4",
            lot_size="0.00000005",
            min_lots=2,
            max_lots=30,
            maker_fee=taker_fee,
            taker_fee=maker_fee,
        ),
    )


def key(account: str, text: str) -> Key:
    """A key of this text, known by its hash."""
    digest = sha256(text.encode()).digest()
    return Key(digest, account, KeyKind.HMAC, b"secret", (Permission.READ, Permission.TRADE))


def opening() -> Iterator[Command]:
    """The commands that crowds begin with: instruments, accounts and a little money."""
    for instrument in instruments():
        yield ListInstrument(instrument=instrument)
    for account in ACCOUNTS:
        yield OpenAccount(account=account)
        for asset in ("OIL", "TIN", "USD"):
            yield Deposit(account=account, asset=asset, units=300, reference=f"first {asset}")


def crowd(random: Random, driver: Driver, count: int) -> Iterator[Command]:
    """`count` commands of all kinds, good and bad, for the driver to be asked; its clock moves on.

    Prices are close together, so that much is traded; deposits are small, so that much is refused.
    """
    named: list[PlaceOrder] = []
    for number in range(count):
        driver.time_ns += random.randint(0, 3) * NS_PER_S + random.randint(0, 999)
        kind = random.random()
        command: Command
        if kind < 0.02 and named:
            command = random.choice(named)
        elif kind < 0.70:
            command = _place(random)
            if command.client_order_id is not None:
                named.append(command)
        elif kind < 0.82:
            command = _cancel(random, driver.exchange)
        elif kind < 0.88:
            command = _amend(random, driver.exchange)
        elif kind < 0.895:
            symbol = random.choice((None, "OILUSD", "TINUSD", "GASUSD"))
            command = CancelAll(account=_account(random), symbol=symbol)
        elif kind < 0.94:
            command = _transfer(random, number)
        elif kind < 0.95:
            command = AdvanceClock(minute_ns=driver.time_ns)
        else:
            command = _operate(random, driver.exchange)
        yield command


def _account(random: Random) -> str:
    return random.choice(ACCOUNTS) if random.random() < 0.98 else random.choice(("eve", "fees"))


def _place(random: Random) -> PlaceOrder:
    type = random.choice((OrderType.LIMIT, OrderType.LIMIT, *OrderType))
    limit_ticks = 0 if type is OrderType.MARKET else random.randint(5, 14)
    if random.random() < 0.02:
        limit_ticks = random.choice((0, -1, 1, 2**62))
    return PlaceOrder(
        account=_account(random),
        symbol=random.choice(("OILUSD", "TINUSD")) if random.random() < 0.99 else "GASUSD",
        side=random.choice((Side.BUY, Side.SELL)),
        type=type,
        lots=random.randint(1, 12) if random.random() < 0.97 else random.choice((0, -3, 25, 31)),
        limit_ticks=limit_ticks,
        client_order_id=random.choice((*_NAMES, "", "x" * 37)) if random.random() < 0.2 else None,
    )


def _cancel(random: Random, exchange: Exchange) -> CancelOrder:
    if random.random() < 0.2 or not exchange.orders:
        return CancelOrder(account=_account(random), client_order_id=random.choice(_NAMES))
    order = random.choice(list(exchange.orders.values()))
    account = order.account if random.random() < 0.9 else _account(random)
    order_id = order.order_id if random.random() < 0.9 else order.order_id - 1
    return CancelOrder(account=account, order_id=order_id)


def _amend(random: Random, exchange: Exchange) -> AmendOrder:
    cancel = _cancel(random, exchange)
    order = exchange.find(cancel.account, cancel.order_id, cancel.client_order_id)
    sizes = (9,) if order is None else (order.executed_lots, order.lots - 1, order.lots + 1)
    return AmendOrder(
        account=cancel.account,
        order_id=cancel.order_id,
        client_order_id=cancel.client_order_id,
        lots=random.choice(sizes) if random.random() < 0.5 else random.randint(-1, max(sizes)),
    )


def _transfer(random: Random, number: int) -> Deposit | Withdraw:
    account, asset = _account(random), random.choice(("OIL", "TIN", "USD", "USD"))
    units = random.randint(1, 60) if random.random() < 0.9 else random.choice((0, -1, 2**63 - 1))
    reference = f"wire {random.choice((number, number // 100))}"
    if random.random() < 0.7:
        return Deposit(account=account, asset=asset, units=units, reference=reference)
    return Withdraw(account=account, asset=asset, units=units, reference=reference)


def _operate(random: Random, exchange: Exchange) -> Command:
    """What an operator asks for. Trading is halted now and then, and never for long."""
    symbol = random.choice(("OILUSD", "TINUSD", "OILUSD", "TINUSD", "GASUSD"))
    text, halted = random.choice(KEY_TEXTS), sorted(exchange.listings.halted)
    if halted and random.random() < 0.5:
        return ResumeTrading(symbol=random.choice(halted))
    commands: tuple[Command, ...] = (
        OpenAccount(account=random.choice((*ACCOUNTS, "eve", "fees", "outside", ""))),
        ListInstrument(instrument=_terms(random)),
        HaltTrading(symbol=symbol, cancel_orders=random.random() < 0.3),
        ResumeTrading(symbol=symbol),
        CancelAsOperator(
            order_id=_cancel(random, exchange).order_id if random.random() < 0.5 else None,
            account=_account(random) if random.random() < 0.7 else None,
            symbol=symbol if random.random() < 0.3 else None,
        ),
        AddKey(key=key(_account(random), text)),
        RevokeKey(key_id=key("", text).key_id),
    )
    return random.choice(commands)


def _terms(random: Random) -> Instrument:
    """New fees, or now and then other steps, which are refused."""
    fee = random.choice(("0", "0.01", "0.3", "1"))
    oil, tin = instruments(maker_fee=fee, taker_fee=random.choice(("0.007", fee)))
    if random.random() < 0.8:
        return random.choice((oil, tin))
    return Instrument.define(
        symbol="OILUSD", base="OIL", quote="USD", tick_size="2", lot_size="0.00000001"
    )
