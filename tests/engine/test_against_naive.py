"""The engine does what a naive exchange does, which was written from the documents alone."""

from collections.abc import Mapping
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from jayx_stream.engine import Exchange
from jayx_stream.engine.ledger import Balance
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
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import MINUTE_NS
from tests.engine import invariants
from tests.engine.driving import (
    ACCOUNTS,
    KEY_TEXTS,
    OPEN_ORDERS_MAX,
    Driver,
    crowd,
    instruments,
    key,
    opening,
)
from tests.engine.naive import NaiveExchange, NaiveOrder

SYMBOLS = ("OILUSD", "TINUSD")
NAMES = ("x", "y", "z")


class Pair:
    """Both exchanges, asked the same."""

    def __init__(self) -> None:
        self.driver = Driver()
        self.naive = NaiveExchange(OPEN_ORDERS_MAX)
        for command in opening():
            self.ask(command)

    def ask(self, command: Command) -> None:
        """Ask both, and compare what they say and what they are after it."""
        time_ns, exchange = self.driver.time_ns, self.driver.exchange
        if time_ns >= exchange.minute_ns + MINUTE_NS:
            self._ask(AdvanceClock(minute_ns=time_ns))
        self._ask(command)
        compare(exchange, self.naive)

    def _ask(self, command: Command) -> None:
        before = len(self.driver.commits)
        answer = self.driver.ask(command)
        events = [event for commit in self.driver.commits[before:] for event in commit.events]
        told = self.naive.execute(command)
        assert told == (answer.code if isinstance(answer, Refused) else events), command


def compare(exchange: Exchange, naive: NaiveExchange) -> None:
    """Balances, reserves, named and open orders, books, halts and keys are alike."""
    for account, balances in exchange.ledger.accounts().items():
        for asset in ("OIL", "TIN", "USD"):
            owned, reserved = naive.owned(account, asset), naive.reserved(account, asset)
            assert _units(balances, asset) == (owned, reserved), f"{asset} of {account}"
    open_orders = naive.open_orders()
    assert list(exchange.orders) == [order.id for order in open_orders]
    for order in open_orders:
        assert _is_like(exchange.orders[order.id], order), f"order {order.id}"
    for symbol, book in exchange.books.items():
        for side in Side:
            ids = [id for level in book.half(side).levels() for id in level.orders]
            assert ids == [order.id for order in naive.book(symbol, side)], f"{side} of {symbol}"
    assert exchange.listings.halted == set(naive.venue.halted)
    assert exchange.keyring.stands == {
        each.key_id: each not in naive.venue.revoked for each in naive.venue.keys
    }


def _units(balances: Mapping[str, Balance], asset: str) -> tuple[int, int]:
    balance = balances.get(asset)
    return (balance.units, balance.reserved_units) if balance is not None else (0, 0)


def _is_like(order: Order, naive: NaiveOrder) -> bool:
    fills, asked = naive.fills, naive.asked
    lots, ticks = fills[-1] if fills else (None, None)
    return (
        (order.account, order.symbol, order.side, order.type, order.lots, order.limit_ticks)
        == (asked.account, asked.symbol, asked.side, asked.type, naive.size, asked.limit_ticks)
        and (order.remaining_lots, order.last_lots, order.last_ticks) == (naive.left, lots, ticks)
        and order.executed_lots == naive.executed
        and order.cost == sum(lots * ticks for lots, ticks in fills)
    )


def test_ten_thousand_commands_of_a_crowd_end_alike() -> None:
    pair, random = Pair(), Random(20240519)
    for command in crowd(random, pair.driver, 10_000):
        pair.ask(command)
    exchange = pair.driver.exchange
    for order in pair.naive.named:
        earlier = exchange.find(order.asked.account, None, order.asked.client_order_id)
        assert earlier is not None, f"order {order.id} is forgotten"
        assert _is_like(earlier, order), f"order {order.id}"
    invariants.check(exchange)
    invariants.check_replay_equals_life(exchange, pair.driver.commits)


_accounts = st.sampled_from((*ACCOUNTS[:3], "eve"))
_symbols = st.sampled_from((*SYMBOLS, SYMBOLS[0], "GASUSD"))
_names = st.none() | st.sampled_from(NAMES)


@st.composite
def _places(draw: st.DrawFn) -> PlaceOrder:
    type = draw(st.sampled_from(OrderType))
    market = type is OrderType.MARKET
    return PlaceOrder(
        account=draw(_accounts),
        symbol=draw(_symbols),
        side=draw(st.sampled_from(Side)),
        type=type,
        lots=draw(st.integers(0, 21)),
        limit_ticks=draw(st.integers(0, 1) if market else st.integers(-1, 14)),
        client_order_id=draw(_names),
    )


_commands: st.SearchStrategy[Command] = st.one_of(
    _places(),
    _places(),
    _places(),
    st.builds(CancelOrder, account=_accounts, order_id=st.integers(1, 12)),
    st.builds(CancelOrder, account=_accounts, client_order_id=_names),
    st.builds(CancelAll, account=_accounts, symbol=st.none() | _symbols),
    st.builds(AmendOrder, account=_accounts, order_id=st.integers(1, 12), lots=st.integers(-1, 20)),
    st.builds(AmendOrder, account=_accounts, client_order_id=_names, lots=st.integers(0, 20)),
    st.builds(
        CancelAsOperator,
        order_id=st.none() | st.integers(1, 12),
        account=st.none() | _accounts,
        symbol=st.none() | _symbols,
    ),
    st.builds(HaltTrading, symbol=_symbols, cancel_orders=st.booleans()),
    st.builds(ResumeTrading, symbol=_symbols),
    st.builds(ResumeTrading, symbol=_symbols),
    st.builds(OpenAccount, account=_accounts),
    st.builds(
        Deposit,
        account=_accounts,
        asset=st.sampled_from(("OIL", "USD")),
        units=st.integers(0, 50) | st.just(2**63 - 1),
        reference=st.sampled_from(NAMES),
    ),
    st.builds(
        Withdraw,
        account=_accounts,
        asset=st.sampled_from(("OIL", "USD")),
        units=st.integers(0, 400),
        reference=st.sampled_from(NAMES),
    ),
    st.builds(AddKey, key=st.builds(key, _accounts, st.sampled_from(KEY_TEXTS))),
    st.builds(RevokeKey, key_id=st.sampled_from([key("", text).key_id for text in KEY_TEXTS])),
    st.builds(
        ListInstrument,
        instrument=st.sampled_from((*instruments(), *instruments(maker_fee="0", taker_fee="1"))),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), _commands), min_size=25, max_size=60))
def test_any_commands_end_alike(commands: list[tuple[int, Command]]) -> None:
    pair = Pair()
    for seconds, command in commands:
        pair.driver.time_ns += seconds * 1_000_000_000
        pair.ask(command)
        invariants.check(pair.driver.exchange)
    invariants.check_replay_equals_life(pair.driver.exchange, pair.driver.commits)
