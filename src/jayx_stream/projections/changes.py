"""What one commit changed, so that nobody has to look at what it didn't."""

from dataclasses import dataclass, field

from jayx_stream.model.order import Order
from jayx_stream.model.past import Trade
from jayx_stream.model.views import KlineTurn


@dataclass(slots=True)
class Changes:
    """Filled by the folds while they take one commit in."""

    seq: int
    books: set[str] = field(default_factory=set)
    """Symbols whose book or trades changed."""
    klines: set[str] = field(default_factory=set)
    """Symbols that traded, so that their current klines changed."""
    turns: dict[tuple[str, int], KlineTurn] = field(default_factory=dict)
    """By symbol and interval: klines that closed and opened."""
    trades: list[Trade] = field(default_factory=list)
    """In the order in which they happened."""
    positions: set[str] = field(default_factory=set)
    """Accounts whose balances or reserves changed."""
    revoked: list[str] = field(default_factory=list)
    """Ids of keys that are let in no more."""
    orders: dict[str, list[Order]] = field(default_factory=dict)
    """By account: each order that changed, once, in the order of its first change. They are live:
    what they say holds until the next commit."""
