"""All orders that anyone may still name: open ones, and for ever those whose owners gave them a name."""

from collections.abc import Iterator

from jayx_stream.engine.ledger import Account, Balance, Ledger
from jayx_stream.engine.market import Market
from jayx_stream.model.commands import AmendOrder, CancelOrder, PlaceOrder
from jayx_stream.model.order import Order
from jayx_stream.model.reasons import ErrorCode, Refused


class LiveOrder(Order):
    """An order with all that it moves, so that none of it is looked up again while it is open."""

    __slots__ = ("in_book", "market", "owner", "reserve")

    owner: Account
    market: Market
    reserve: Balance | None
    """Where its reserve is kept; None for one that reserves nothing."""
    in_book: bool
    """Whether it rests now; an incoming order does so once it has taken what it takes."""


class AllOrders:
    """Every account's orders. Changed by `Exchange.apply` only."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.open: dict[int, LiveOrder] = {}
        """By id, oldest first."""
        self.named: dict[tuple[str, str], Order] = {}
        """By account and client order id, open or not."""
        self.lots_as_placed: dict[int, int] = {}
        """By id: of named orders that were amended since, what a retry still asks for."""

    def name(self, order: Order) -> None:
        """Keep the order for ever under the name that its owner gave it, if he did."""
        if order.client_order_id is not None:
            self.named[order.account, order.client_order_id] = order

    def add(self, order: LiveOrder) -> None:
        """Take an open order in."""
        order_id = order.order_id
        self.open[order_id] = order
        order.owner.open_orders[order_id] = order

    def close(self, order: LiveOrder) -> None:
        """The order was filled or canceled."""
        order_id = order.order_id
        del self.open[order_id]
        del order.owner.open_orders[order_id]

    def amend(self, order: Order, lots: int, time_ns: int) -> int:
        """Make an open order smaller, and give how many lots it gave up."""
        if order.client_order_id is not None:
            self.lots_as_placed.setdefault(order.order_id, order.lots)
        return order.amend(lots, time_ns)

    def open_of(self, account: str) -> Iterator[Order]:
        """The account's open orders, oldest first."""
        owner = self._ledger.trader(account)
        return iter(()) if owner is None else iter(owner.open_orders.values())

    def find(self, account: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """The account's order: an open one by its id, any by its client id."""
        if order_id is not None:
            order = self.open.get(order_id)
            return order if order is not None and order.account == account else None
        if client_order_id is None:
            return None
        return self.named.get((account, client_order_id))

    def find_open(self, command: AmendOrder | CancelOrder) -> Order | Refused:
        """The open order that a command of its owner names."""
        order = self.find(command.account, command.order_id, command.client_order_id)
        if order is None or not order.is_open:
            wanted = command.order_id if command.order_id is not None else command.client_order_id
            return unknown_order(wanted, order)
        return order

    def refuse_retry(self, earlier: Order, command: PlaceOrder) -> Refused | None:
        """Why an order may not have the name of an earlier one; None if it is the same again."""
        lots = self.lots_as_placed.get(earlier.order_id, earlier.lots)
        if (earlier.symbol, earlier.side, earlier.type, lots, earlier.limit_ticks) == (
            command.symbol,
            command.side,
            command.type,
            command.lots,
            command.limit_ticks,
        ):
            return None
        return Refused(
            ErrorCode.CLIENT_ORDER_ID_USED,
            f"{command.client_order_id} is order {earlier.order_id}: {earlier.side} {lots} lots of "
            f"{earlier.symbol}, {earlier.type} at {earlier.limit_ticks} ticks",
        )


def unknown_order(wanted: int | str | None, order: Order | None = None) -> Refused:
    """Nothing can be done to an order that is not open; `order` if it is closed and remembered."""
    state = "no such order" if order is None else f"it is {order.state}"
    return Refused(ErrorCode.UNKNOWN_ORDER, f"no open order {wanted}: {state}")
