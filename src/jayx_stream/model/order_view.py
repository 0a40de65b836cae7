"""OrderView: an order as it stood once, and the words of which orders are made."""

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
