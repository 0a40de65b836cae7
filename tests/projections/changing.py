"""A book that changes order by order, beside a count of its levels from its orders."""

from hypothesis import strategies as st

from jayx_stream.model.order import Side
from jayx_stream.model.views import Level
from jayx_stream.projections.orderbook import SymbolBook

Order = tuple[Side, int, int]
"""Side, ticks and lots."""

Step = tuple[bool, int, Side, int, int]
"""Whether a new order comes, else which one is reduced; side, ticks and lots."""


def steps(ticks_max: int) -> st.SearchStrategy[Step]:
    """A change of a book with prices from 1 to `ticks_max`."""
    ticks = st.integers(1, ticks_max)
    return st.tuples(
        st.booleans(), st.integers(0, 10**6), st.sampled_from(Side), ticks, st.integers(1, 9)
    )


class ChangingBook:
    """A symbol's book and the orders that rest in it."""

    def __init__(self) -> None:
        self.book = SymbolBook()
        self.orders: list[Order] = []

    def do(self, step: Step) -> None:
        """A new order, or lots less of one that rests, down to none."""
        is_new, number, side, ticks, lots = step
        if is_new or not self.orders:
            self.book.half(side).add(ticks, lots)
            self.orders.append((side, ticks, lots))
            return
        number %= len(self.orders)
        side, ticks, had = self.orders[number]
        taken = min(had, lots)
        self.book.half(side).reduce(ticks, taken, gone=taken == had)
        if taken == had:
            del self.orders[number]
        else:
            self.orders[number] = side, ticks, had - taken

    def naive(self, side: Side, precise: int, depth: int) -> tuple[Level, ...]:
        """The levels by counting through all orders."""
        sums: dict[int, tuple[int, int]] = {}
        for order_side, ticks, lots in self.orders:
            if order_side is side:
                sign = 1 if side is Side.BUY else -1
                price = ticks * sign // precise * precise * sign
                before = sums.get(price, (0, 0))
                sums[price] = before[0] + lots, before[1] + 1
        prices = sorted(sums, reverse=side is Side.BUY)[:depth]
        return tuple(Level(price, *sums[price]) for price in prices)
