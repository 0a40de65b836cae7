"""What an incoming order would take from the book. Reads only: price, then time, decides.

Source of the rules: protocol §9, "Matching".
"""

from jayx_stream.engine.book import HalfBook
from jayx_stream.model.order import Order


class Matches:
    """The fills, in the order in which they happen, and what stopped them."""

    __slots__ = ("fills", "met_own_order", "remaining_lots")

    def __init__(
        self, fills: list[tuple[Order, int]], remaining_lots: int, *, met_own_order: bool
    ) -> None:
        self.fills = fills
        """Resting order and the lots taken from it."""
        self.remaining_lots = remaining_lots
        """What is left of the incoming order."""
        self.met_own_order = met_own_order
        """Whether the next order to take was the incoming one's own account's."""


def match(
    half: HalfBook, account: str, lots: int, limit_ticks: int, cost_max: int | None
) -> Matches:
    """Walk the half of the book that the order meets, from its best price.

    `cost_max` is what all fills may cost, in tick·lots; only a MARKET BUY, which reserves nothing,
    is bound by it.
    """
    remaining_lots = lots
    fills: list[tuple[Order, int]] = []
    limit_rank = half.rank(limit_ticks)
    for rank in reversed(half.ranks):
        # No limit is no rank: a MARKET order takes at any.
        if rank < limit_rank and limit_ticks:
            break
        level = half.level(rank)
        for resting in level.orders.values():
            if resting.account == account:
                return Matches(fills, remaining_lots, met_own_order=True)
            wanted = taken = min(remaining_lots, resting.remaining_lots)
            if cost_max is not None:
                taken = min(wanted, cost_max // level.ticks)
                cost_max -= taken * level.ticks
            if taken:
                fills.append((resting, taken))
                remaining_lots -= taken
            if taken < wanted or remaining_lots == 0:
                return Matches(fills, remaining_lots, met_own_order=False)
    return Matches(fills, remaining_lots, met_own_order=False)
