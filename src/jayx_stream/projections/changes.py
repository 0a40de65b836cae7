"""What one commit changed, so that nobody has to look at what it didn't."""

from jayx_stream.model.order import Order
from jayx_stream.model.past import Trade
from jayx_stream.model.views import KlineTurn


class Changes:
    """Filled by the folds while they take one commit in."""

    __slots__ = ("books", "klines", "orders", "positions", "revoked", "seq", "trades", "turns")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.books: set[str] = set()
        """Symbols whose book or trades changed."""
        self.klines: set[str] = set()
        """Symbols that traded, so that their current klines changed."""
        self.turns: dict[tuple[str, int], KlineTurn] = {}
        """By symbol and interval: klines that closed and opened."""
        self.trades: list[Trade] = []
        """In the order in which they happened."""
        self.positions: set[str] = set()
        """Accounts whose balances or reserves changed."""
        self.revoked: list[str] = []
        """Ids of keys that are let in no more."""
        self.orders: dict[str, list[Order]] = {}
        """By account: each order that changed, once, in the order of its first change. They are live:
        what they say holds until the next commit."""

    def accounts(self) -> list[str]:
        """All accounts of which anything changed: by the first change of an order, then by name."""
        return [*self.orders, *sorted(self.positions - self.orders.keys())]
