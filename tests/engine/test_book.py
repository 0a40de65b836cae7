"""A level is a queue, however long it is and from wherever it is eaten."""

from itertools import count, islice
from random import Random

import pytest

from jayx_stream.engine.book import HalfBook
from jayx_stream.engine.ledger import Ledger
from jayx_stream.engine.market import Market
from jayx_stream.model.order import Order, OrderType, Side
from tests.engine.driving import instruments


def order(order_id: int, type: OrderType = OrderType.LIMIT, side: Side = Side.SELL) -> Order:
    return Order(order_id, "ann", "OILUSD", side, type, 3, 10, None, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_queue_stays_in_order_of_time_while_it_is_eaten(seed: int) -> None:
    """Mostly from the front, as takers eat it."""
    random, half = Random(seed), HalfBook(Side.SELL)
    left: list[Order] = []
    order_ids = count(1)
    for order_id in islice(order_ids, 400):
        left.append(order(order_id))
        half.add(left[-1])
    while left:
        gone = left.pop(0 if random.random() < 0.8 else random.randrange(len(left)))
        gone.cancel(1)
        half.reduce(gone, 3)
        if random.random() < 0.1:
            left.append(order(next(order_ids)))
            half.add(left[-1])
        levels = list(half.levels())
        assert [list(level.orders.values()) for level in levels] == ([left] if left else [])
        assert sum(level.lots for level in levels) == 3 * len(left)
    assert half.best() is None


@pytest.mark.parametrize("type", OrderType)
@pytest.mark.parametrize("side", Side)
def test_an_order_knows_of_its_type_and_side_what_they_say(type: OrderType, side: Side) -> None:
    made = order(1, type, side)
    assert (made.rests, made.is_buy) == (type.rests, side is Side.BUY)


@pytest.mark.parametrize("side", Side)
def test_a_market_reckons_reserves_as_its_instrument_does(side: Side) -> None:
    random, is_buy = Random(1), side is Side.BUY
    for instrument in instruments():
        market = Market(instrument, Ledger())
        assert market.gives(is_buy=is_buy).name == instrument.reserved_asset(side)
        for _ in range(100):
            lots, ticks = random.randint(1, 2**40), random.randint(0, 2**60)
            reserved = market.reserved_units(lots, ticks, is_buy=is_buy)
            assert reserved == instrument.reserved_units(side, lots, ticks)
