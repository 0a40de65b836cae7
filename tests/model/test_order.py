"""An order gets smaller by an amendment, and nothing else about it changes."""

import pytest

from jayx_stream.model.order import Order, OrderState, OrderType, Side


def order(*fills: int) -> Order:
    """A bid for nine lots at 5 ticks, with these fills."""
    made = Order(1, "ann", "OILUSD", Side.BUY, OrderType.LIMIT, 9, 5, None, 100)
    for lots in fills:
        made.fill(lots, 4, 200)
    return made


def test_an_amended_order_gives_up_lots_that_nobody_took() -> None:
    amended = order()
    assert amended.amend(4, 300) == 5
    assert (amended.lots, amended.remaining_lots, amended.executed_lots) == (4, 4, 0)
    assert (amended.state, amended.created_ns, amended.modified_ns) == (OrderState.NEW, 100, 300)


def test_what_is_executed_stays_executed() -> None:
    amended = order(2, 1)
    assert amended.amend(5, 300) == 4
    assert (amended.lots, amended.remaining_lots, amended.executed_lots) == (5, 2, 3)
    assert (amended.cost, amended.last_lots, amended.last_ticks) == (12, 1, 4)
    assert amended.state is OrderState.PARTIALLY_FILLED


def test_down_to_what_is_executed_it_is_filled() -> None:
    amended = order(3)
    assert amended.amend(3, 300) == 6
    assert (amended.lots, amended.remaining_lots, amended.state) == (3, 0, OrderState.FILLED)
    assert not amended.is_open


def test_an_amended_order_is_filled_by_fewer_lots() -> None:
    amended = order(3)
    amended.amend(4, 300)
    amended.fill(1, 5, 400)
    assert amended.state is OrderState.FILLED


@pytest.mark.parametrize("lots", [10, 9, 2, 0, -1])
def test_it_neither_grows_nor_undoes_a_fill(lots: int) -> None:
    amended = order(3)
    with pytest.raises(AssertionError, match="order 1"):
        amended.amend(lots, 300)
    assert amended.view() == order(3).view()


def test_a_closed_order_is_not_amended() -> None:
    for closed in (order(9), order()):
        if closed.is_open:
            closed.cancel(250)
        with pytest.raises(AssertionError, match="amendment of closed order 1"):
            closed.amend(3, 300)
