"""Orders as their owners see them: all that are open, and the last that were."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from jayx_stream.model.order import Order, OrderView

CLOSED_ORDERS_MAX = 1000
"""Closed orders remembered per account."""


class AccountOrders:
    """One account's orders."""

    def __init__(self) -> None:
        self.open: dict[int, Order] = {}
        self.closed: OrderedDict[int, OrderView] = OrderedDict()
        self.ids: dict[str, int] = {}
        """Order id by client order id, of the orders above."""


class AllOrders:
    """Every account's orders."""

    def __init__(self) -> None:
        self._open: dict[int, Order] = {}
        self._accounts: dict[str, AccountOrders] = {}

    @property
    def open_count(self) -> int:
        """Open orders of all accounts."""
        return len(self._open)

    def add(self, order: Order) -> None:
        """An order was placed."""
        self._open[order.order_id] = order
        orders = self._accounts.get(order.account)
        if orders is None:
            orders = self._accounts[order.account] = AccountOrders()
        orders.open[order.order_id] = order
        if order.client_order_id is not None:
            orders.ids[order.client_order_id] = order.order_id

    def restore_closed(self, account: str, closed: Iterable[OrderView]) -> None:
        """The account's orders that were closed, in that order."""
        orders = self._accounts.setdefault(account, AccountOrders())
        for order in closed:
            orders.closed[order.order_id] = order
            if order.client_order_id is not None:
                orders.ids[order.client_order_id] = order.order_id

    def state(self) -> tuple[tuple[OrderView, ...], tuple[tuple[str, tuple[OrderView, ...]], ...]]:
        """The open orders and the closed ones; see `ProjectionsState`."""
        return (
            tuple(self._open[order_id].view() for order_id in sorted(self._open)),
            tuple(
                (account, tuple(orders.closed.values()))
                for account, orders in sorted(self._accounts.items())
                if orders.closed
            ),
        )

    def open_order(self, order_id: int) -> Order:
        """An order that events speak of; it is open."""
        return self._open[order_id]

    def close(self, order: Order) -> None:
        """The order was filled or canceled: remember how it ended."""
        del self._open[order.order_id]
        orders = self._accounts[order.account]
        del orders.open[order.order_id]
        orders.closed[order.order_id] = order.view()
        if len(orders.closed) > CLOSED_ORDERS_MAX:
            _, forgotten = orders.closed.popitem(last=False)
            if forgotten.client_order_id is not None:
                del orders.ids[forgotten.client_order_id]

    def open_of(self, account: str, symbol: str | None) -> Iterator[OrderView]:
        """The account's open orders, of one symbol or of all, oldest first."""
        orders = self._accounts.get(account)
        if orders is not None:
            for order in orders.open.values():
                if symbol in (None, order.symbol):
                    yield order.view()

    def find(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """An open or recently closed order of the account, by either id."""
        orders = self._accounts.get(account)
        if orders is None:
            return None
        if order_id is None:
            order_id = orders.ids.get(client_order_id or "")
        if order_id is None:
            return None
        order = orders.open.get(order_id)
        return order.view() if order is not None else orders.closed.get(order_id)
