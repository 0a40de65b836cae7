"""Order: one order's whole life, folded from its events. Shared by the writer and the readers, so
that what a fill does to an order stands in one place.
"""

from typing import Final, Self

from jayx_stream.model.order_view import OrderState, OrderType, OrderView, Side

__all__ = ["Order", "OrderState", "OrderType", "OrderView", "Side"]

# Asked for with every order, and quicker found here than in their enumerations.
_BUY: Final = Side.BUY
_LIMIT: Final = OrderType.LIMIT
_POST_ONLY: Final = OrderType.POST_ONLY
_NEW: Final = OrderState.NEW
_PARTIALLY_FILLED: Final = OrderState.PARTIALLY_FILLED
_FILLED: Final = OrderState.FILLED
_CANCELED: Final = OrderState.CANCELED


class Order:
    """One order's state. Changed by `fill`, `amend` and `cancel` only, which the owner of the order calls."""

    __slots__ = (
        "account",
        "client_order_id",
        "cost",
        "created_ns",
        "executed_lots",
        "is_buy",
        "last_lots",
        "last_ticks",
        "limit_ticks",
        "lots",
        "modified_ns",
        "order_id",
        "remaining_lots",
        "rests",
        "side",
        "state",
        "symbol",
        "type",
    )

    def __init__(
        self,
        order_id: int,
        account: str,
        symbol: str,
        side: Side,
        type: OrderType,
        lots: int,
        limit_ticks: int,
        client_order_id: str | None,
        created_ns: int,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.symbol = symbol
        self.side = side
        self.is_buy = side is _BUY
        self.type = type
        self.rests = type is _LIMIT or type is _POST_ONLY
        """See `OrderType.rests`."""
        self.lots = lots
        self.limit_ticks = limit_ticks
        self.client_order_id = client_order_id
        self.created_ns = created_ns
        self.modified_ns = created_ns
        self.remaining_lots = lots
        self.executed_lots = 0
        self.cost = 0
        self.last_lots: int | None = None
        self.last_ticks: int | None = None
        self.state: OrderState = _NEW

    @classmethod
    def restored(cls, view: OrderView) -> Self:
        """The order that looked like this."""
        order = cls(
            view.order_id,
            view.account,
            view.symbol,
            view.side,
            view.type,
            view.lots,
            view.limit_ticks,
            view.client_order_id,
            view.created_ns,
        )
        order.modified_ns = view.modified_ns
        order.remaining_lots = view.remaining_lots
        order.executed_lots = view.executed_lots
        order.cost = view.cost
        order.last_lots = view.last_lots
        order.last_ticks = view.last_ticks
        order.state = view.state
        return order

    @property
    def is_open(self) -> bool:
        """Whether anything is left to fill."""
        return self.remaining_lots > 0

    def fill(self, lots: int, ticks: int, time_ns: int) -> None:
        """Execute `lots` of what is left at `ticks`."""
        assert 0 < lots <= self.remaining_lots, f"fill of {lots} on order {self.order_id}"
        self.remaining_lots -= lots
        self.executed_lots += lots
        self.cost += lots * ticks
        assert self.executed_lots + self.remaining_lots == self.lots, (
            f"executed + remaining = lots: order {self.order_id}"
        )
        self.last_lots = lots
        self.last_ticks = ticks
        self.modified_ns = time_ns
        self.state = _PARTIALLY_FILLED if self.remaining_lots else _FILLED

    def amend(self, lots: int, time_ns: int) -> int:
        """Make the order smaller, to `lots` with those that are executed; gives how many it gave up."""
        assert self.remaining_lots > 0, f"amendment of closed order {self.order_id}"
        assert 0 < lots < self.lots, f"amendment of order {self.order_id} to {lots} lots"
        assert lots >= self.executed_lots, f"executed <= lots: order {self.order_id}"
        given_up_lots = self.lots - lots
        self.lots = lots
        self.remaining_lots -= given_up_lots
        assert self.executed_lots + self.remaining_lots == self.lots, (
            f"executed + remaining = lots: order {self.order_id}"
        )
        self.modified_ns = time_ns
        if not self.remaining_lots:
            self.state = _FILLED
        return given_up_lots

    def cancel(self, time_ns: int) -> None:
        """Give up what is left."""
        assert self.remaining_lots > 0, f"cancel of closed order {self.order_id}"
        assert self.executed_lots + self.remaining_lots == self.lots, (
            f"executed + canceled = lots: order {self.order_id}"
        )
        self.remaining_lots = 0
        self.modified_ns = time_ns
        self.state = _CANCELED

    def view(self) -> OrderView:
        """The order as it stands now."""
        return OrderView(
            self.order_id,
            self.account,
            self.symbol,
            self.side,
            self.type,
            self.state,
            self.lots,
            self.limit_ticks,
            self.remaining_lots,
            self.executed_lots,
            self.cost,
            self.last_lots,
            self.last_ticks,
            self.created_ns,
            self.modified_ns,
            self.client_order_id,
        )
