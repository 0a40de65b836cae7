"""Order: one order's whole life, folded from its events. Shared by the writer and the readers, so
that what a fill does to an order stands in one place.
"""

from enum import StrEnum

from msgspec import Struct


class Side(StrEnum):
    """Which half of the book an order belongs to."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How an order meets the book (protocol §9)."""

    LIMIT = "LIMIT"
    """Takes what its limit allows, then rests."""
    MARKET = "MARKET"
    """Takes at any price; the remainder is canceled."""
    IOC = "IOC"
    """Immediate or cancel: takes what its limit allows; the remainder is canceled."""
    FOK = "FOK"
    """Fill or kill: takes all of its lots at once, or nothing."""
    POST_ONLY = "POST_ONLY"
    """Rests, and is refused if it would take."""

    @property
    def rests(self) -> bool:
        """Whether what is left after matching stays in the book."""
        return self is OrderType.LIMIT or self is OrderType.POST_ONLY


class OrderState(StrEnum):
    """Where an order stands (protocol §7)."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"


class OrderView(Struct, frozen=True, array_like=True, gc=False):
    """An order as it stood after one commit; never changes. Checkpoints hold it in this form."""

    order_id: int
    account: str
    symbol: str
    side: Side
    type: OrderType
    state: OrderState
    lots: int
    limit_ticks: int
    """0 for a MARKET order."""
    remaining_lots: int
    """Lots still open and reserved: 0 once filled or canceled."""
    executed_lots: int
    cost: int
    """Σ lots × ticks over the fills, in tick·lots."""
    last_lots: int | None
    last_ticks: int | None
    created_ns: int
    modified_ns: int
    client_order_id: str | None


class Order:
    """One order's state. Changed by `fill`, `amend` and `cancel` only, which the owner of the order calls."""

    __slots__ = (
        "account",
        "client_order_id",
        "cost",
        "created_ns",
        "executed_lots",
        "last_lots",
        "last_ticks",
        "limit_ticks",
        "lots",
        "modified_ns",
        "order_id",
        "remaining_lots",
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
        self.type = type
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
        self.state = OrderState.NEW

    @classmethod
    def restored(cls, view: OrderView) -> "Order":
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
        self.state = OrderState.PARTIALLY_FILLED if self.remaining_lots else OrderState.FILLED

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
            self.state = OrderState.FILLED
        return given_up_lots

    def cancel(self, time_ns: int) -> None:
        """Give up what is left."""
        assert self.remaining_lots > 0, f"cancel of closed order {self.order_id}"
        assert self.executed_lots + self.remaining_lots == self.lots, (
            f"executed + canceled = lots: order {self.order_id}"
        )
        self.remaining_lots = 0
        self.modified_ns = time_ns
        self.state = OrderState.CANCELED

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
