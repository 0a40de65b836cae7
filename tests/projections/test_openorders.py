"""Open orders are the engine's, and every change of one is told once."""

from collections import defaultdict

import pytest

from jayx_stream.model.events import OrderAmended, OrderCanceled, OrderPlaced, Traded
from jayx_stream.model.order import Order, OrderState, OrderType, Side
from jayx_stream.projections import Projections
from jayx_stream.projections.openorders import CLOSED_ORDERS_MAX, AllOrders
from tests.engine.driving import ACCOUNTS
from tests.projections.following import follow, journal


def order(order_id: int, name: str | None = None, account: str = "ann") -> Order:
    """An order for one lot."""
    return Order(order_id, account, "OILUSD", Side.BUY, OrderType.LIMIT, 1, 5, name, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_open_orders_of_a_crowd_equal_the_engines(seed: int) -> None:
    for exchange, projections, _ in follow(seed, 1200):
        for account in ACCOUNTS:
            expected = [each.view() for each in exchange.open_orders(account)]
            assert list(projections.orders.open_of(account, None)) == expected
            for symbol in exchange.instruments:
                seen = list(projections.orders.open_of(account, symbol))
                assert seen == [each for each in expected if each.symbol == symbol]


@pytest.mark.parametrize("seed", [1, 2])
def test_each_order_that_changed_is_told_once_as_it_now_is(seed: int) -> None:
    for exchange, _, changes in follow(seed, 1200):
        for account, orders in changes.orders.items():
            ids = [each.order_id for each in orders]
            assert len(set(ids)) == len(ids)
            for each in orders:
                assert each.account == account
                here = exchange.orders.get(each.order_id)
                assert (here is not None) == each.is_open
                assert here is None or here.view() == each.view()


def test_changes_tell_exactly_the_orders_that_the_events_name() -> None:
    projections, owners = Projections(), {}
    for commit in journal(seed=5, count=1500):
        named: dict[str, list[int]] = defaultdict(list)
        for event in commit.events:
            if isinstance(event, OrderPlaced):
                owners[event.order_id] = event.account
            for order_id in _ids(event):
                if order_id not in named[owners[order_id]]:
                    named[owners[order_id]].append(order_id)
        changes = projections.apply(commit)
        told = {
            account: [each.order_id for each in orders]
            for account, orders in changes.orders.items()
        }
        assert told == named


def _ids(event: object) -> tuple[int, ...]:
    match event:
        case OrderPlaced() | OrderAmended() | OrderCanceled():
            return (event.order_id,)
        case Traded():
            return (event.maker_order_id, event.taker_order_id)
        case _:
            return ()


def test_an_order_is_found_by_either_id_and_by_its_owner_only() -> None:
    orders = AllOrders()
    orders.add(order(1, "mine"))
    found = orders.find("ann", 1, None)
    assert found is not None
    assert found == orders.find("ann", None, "mine")
    assert orders.find("bob", 1, None) is None
    assert orders.find("bob", None, "mine") is None
    assert orders.find("ann", 2, None) is None
    assert orders.find("ann", None, "other") is None
    assert orders.find("ann", None, None) is None


def test_a_closed_order_is_found_as_it_ended() -> None:
    orders, closing = AllOrders(), order(1, "mine")
    orders.add(closing)
    closing.cancel(7)
    orders.close(closing)
    found = orders.find("ann", None, "mine")
    assert found is not None
    assert (found.state, found.modified_ns) == (OrderState.CANCELED, 7)
    assert list(orders.open_of("ann", None)) == []


def test_the_oldest_closed_orders_are_forgotten_of_each_account_alone() -> None:
    orders, kept = AllOrders(), order(1, "first", account="bob")
    orders.add(kept)
    kept.cancel(0)
    orders.close(kept)
    for order_id in range(2, CLOSED_ORDERS_MAX + 4):
        each = order(order_id, f"n{order_id}")
        orders.add(each)
        each.cancel(0)
        orders.close(each)
    for order_id, is_found in ((2, False), (3, False), (4, True), (CLOSED_ORDERS_MAX + 3, True)):
        assert (orders.find("ann", order_id, None) is not None) == is_found
        assert (orders.find("ann", None, f"n{order_id}") is not None) == is_found
    assert orders.find("bob", 1, None) is not None
    assert len(orders._accounts["ann"].ids) == CLOSED_ORDERS_MAX
