"""What always holds is asserted while the exchange runs: each test breaks one thing, and is stopped."""

from collections.abc import Callable
from itertools import chain
from random import Random

import msgspec
import pytest

from jayx_stream.engine import Exchange
from jayx_stream.engine.book import Level
from jayx_stream.engine.ledger import OUTSIDE
from jayx_stream.model.commands import AmendOrder, Command, PlaceOrder
from jayx_stream.model.events import (
    AnyEvent,
    Commit,
    KeyAdded,
    KeyRevoked,
    OrderAmended,
    Traded,
    Withdrawn,
)
from jayx_stream.model.order import OrderType, Side
from tests.engine.driving import Driver, crowd, key, opening

OIL = "OILUSD"
KEY = key("ann", "ann's key")


def place(account: str, side: Side, lots: int, ticks: int) -> Command:
    return PlaceOrder(
        account=account,
        symbol=OIL,
        side=side,
        type=OrderType.LIMIT,
        lots=lots,
        limit_ticks=ticks,
    )


@pytest.fixture
def driver() -> Driver:
    """Ann offers 5 lots at 10 and 4 more behind them, cem bids for 3 at 8."""
    driver = Driver()
    for command in opening():
        driver.ask(command)
    driver.ask(place("ann", Side.SELL, 5, 10))
    driver.ask(place("ann", Side.SELL, 4, 10))
    driver.ask(place("cem", Side.BUY, 3, 8))
    return driver


def level(exchange: Exchange) -> Level:
    best = exchange.books[OIL].half(Side.SELL).best()
    assert best is not None
    return best


def make_money(exchange: Exchange) -> None:
    exchange.ledger._post("bob", "USD", 1)


def lose_money(exchange: Exchange) -> None:
    exchange.ledger._post(OUTSIDE, "OIL", -1)


def overdraw(exchange: Exchange) -> None:
    exchange.ledger.balances("ann")["OIL"].units = 5


def release_too_much(exchange: Exchange) -> None:
    exchange.ledger.balances("ann")["OIL"].reserved_units = 0


def put_lots_into_the_level(exchange: Exchange) -> None:
    level(exchange).lots = 1


def leave_lots_without_order(exchange: Exchange) -> None:
    level(exchange).orders.popitem()


def lose_a_fill(exchange: Exchange) -> None:
    next(iter(level(exchange).orders.values())).executed_lots = 1


def cross_the_book(exchange: Exchange) -> None:
    half = exchange.books[OIL].half(Side.SELL)
    half.ranks.append(-8)
    half._levels[-8] = Level(8)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (make_money, "postings of USD sum to 1, not 0"),
        (lose_money, "postings of OIL sum to -1, not 0"),
        (overdraw, "0 <= available: ann overdrew OIL"),
        (release_too_much, "available <= balance: ann released more OIL than it reserved"),
        (put_lots_into_the_level, "level lots = its orders'"),
        (leave_lots_without_order, "level lots = its orders'"),
        (lose_a_fill, r"executed \+ remaining = lots"),
    ],
)
def test_a_trade_stops_at(driver: Driver, damage: Callable[[Exchange], None], named: str) -> None:
    command = place("bob", Side.BUY, 5, 10)
    events = driver.exchange.decide(command)
    assert isinstance(events, tuple)
    damage(driver.exchange)
    with pytest.raises(AssertionError, match=named):
        driver.exchange.apply(Commit(driver.exchange.seq + 1, driver.time_ns, events))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (release_too_much, "available <= balance: ann released more OIL than it reserved"),
        (put_lots_into_the_level, "level lots = its orders'"),
        (leave_lots_without_order, "level lots = its orders'"),
        (lose_a_fill, r"executed \+ remaining = lots"),
    ],
)
def test_an_amendment_stops_at(
    driver: Driver, damage: Callable[[Exchange], None], named: str
) -> None:
    events = driver.exchange.decide(AmendOrder(account="ann", order_id=1, lots=2))
    assert isinstance(events, tuple)
    damage(driver.exchange)
    with pytest.raises(AssertionError, match=named):
        driver.exchange.apply(Commit(driver.exchange.seq + 1, driver.time_ns, events))


@pytest.mark.parametrize(
    ("events", "named"),
    [
        ((OrderAmended(1, 5),), "amendment of order 1 to 5 lots"),
        ((OrderAmended(1, 6),), "amendment of order 1 to 6 lots"),
        ((OrderAmended(1, 0),), "amendment of order 1 to 0 lots"),
        ((Withdrawn("ann", "OIL", 292, "r"),), "0 <= available: ann overdrew OIL"),
        ((KeyAdded(KEY), KeyAdded(KEY)), f"key {KEY.key_id} comes once"),
        ((KeyAdded(KEY), *[KeyRevoked(KEY.key_id)] * 2), f"key {KEY.key_id} goes once"),
    ],
)
def test_what_cannot_have_happened_stops(
    driver: Driver, events: tuple[AnyEvent, ...], named: str
) -> None:
    with pytest.raises(AssertionError, match=named):
        driver.exchange.apply(Commit(driver.exchange.seq + 1, driver.time_ns, events))


def test_an_order_stops_at_a_crossed_book(driver: Driver) -> None:
    events = driver.exchange.decide(place("bob", Side.BUY, 5, 1))
    assert isinstance(events, tuple)
    cross_the_book(driver.exchange)
    with pytest.raises(AssertionError, match="the book of OILUSD is crossed"):
        driver.exchange.apply(Commit(driver.exchange.seq + 1, driver.time_ns, events))


def test_a_trade_at_another_price_than_its_commit_says_stops(driver: Driver) -> None:
    """The order's cost is what was posted, the commit's trades are what was decided."""
    events = driver.exchange.decide(place("bob", Side.BUY, 5, 10))
    assert isinstance(events, tuple)
    placed, trade = events
    assert isinstance(trade, Traded)
    stranger = msgspec.structs.replace(trade, taker_order_id=trade.maker_order_id + 2)
    with pytest.raises(AssertionError):
        driver.exchange.apply(
            Commit(driver.exchange.seq + 1, driver.time_ns, (placed, stranger, trade))
        )


def test_a_crowd_meets_no_assertion() -> None:
    driver = Driver()
    for command in chain(opening(), crowd(Random(5), driver, 2000)):
        driver.ask(command)
    driver.exchange.ledger.check_all_conserved()
