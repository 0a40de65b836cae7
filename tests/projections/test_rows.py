"""What history is told of commits: each order and account that changed, as it is then."""

from jayx_stream.model.commands import (
    AmendOrder,
    CancelAsOperator,
    HaltTrading,
    PlaceOrder,
    Withdraw,
)
from jayx_stream.model.order import OrderState, OrderType, Side
from jayx_stream.model.past import AccountChange
from jayx_stream.model.reasons import Refused
from jayx_stream.model.views import Position
from jayx_stream.projections import Projections, rows_of
from tests.engine.driving import Driver, opening

OIL = "OILUSD"


class Followed:
    """An exchange, and the changes that history is told of."""

    def __init__(self) -> None:
        self.driver, self.projections = Driver(), Projections()
        for command in opening():
            self.driver.ask(command)
        for commit in self.driver.commits:
            self.projections.apply(commit)

    def place(self, account: str, side: Side, lots: int) -> tuple[AccountChange, ...]:
        return self.ask(
            PlaceOrder(
                account=account,
                symbol=OIL,
                side=side,
                type=OrderType.LIMIT,
                lots=lots,
                limit_ticks=10,
            )
        )

    def ask(
        self, command: PlaceOrder | AmendOrder | CancelAsOperator | HaltTrading | Withdraw
    ) -> tuple[AccountChange, ...]:
        assert not isinstance(self.driver.ask(command), Refused)
        changes = self.projections.apply(self.driver.commits[-1])
        return rows_of(changes, self.projections).changes


def test_an_amended_order_is_told_with_what_is_free_then() -> None:
    followed = Followed()
    followed.place("ann", Side.SELL, 9)
    (change,) = followed.ask(AmendOrder(account="ann", order_id=1, lots=4))
    (order,) = change.orders
    assert (order.lots, order.remaining_lots, order.state) == (4, 4, OrderState.NEW)
    assert change.positions is not None
    assert Position("OIL", 300, 296) in change.positions


def test_an_order_that_an_amendment_filled_is_told_as_one_that_is_over() -> None:
    followed = Followed()
    followed.place("ann", Side.SELL, 9)
    followed.place("bob", Side.BUY, 3)
    (change,) = followed.ask(AmendOrder(account="ann", order_id=1, lots=3))
    (order,) = change.orders
    assert (order.lots, order.remaining_lots, order.state) == (3, 0, OrderState.FILLED)
    assert followed.projections.orders.find("ann", 1, None) == order
    assert list(followed.projections.orders.open_of("ann", None)) == []


def test_a_withdrawal_is_told_though_no_order_changed() -> None:
    followed = Followed()
    (change,) = followed.ask(Withdraw(account="ann", asset="USD", units=40, reference="r"))
    assert (change.account, change.orders) == ("ann", ())
    assert change.positions is not None
    assert Position("USD", 260, 260) in change.positions


def test_a_halt_tells_each_owner_of_his_orders() -> None:
    followed = Followed()
    for account in ("ann", "bob", "ann"):
        followed.place(account, Side.SELL, 2)
    ann, bob = followed.ask(HaltTrading(symbol=OIL, cancel_orders=True))
    assert [order.order_id for order in ann.orders] == [1, 3]
    assert [order.order_id for order in bob.orders] == [2]
    assert {order.state for order in (*ann.orders, *bob.orders)} == {OrderState.CANCELED}
