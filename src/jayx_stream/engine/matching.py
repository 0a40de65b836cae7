"""What an incoming order would take from the book. Reads only: price, then time, decides.

Source of the rules: protocol §9, "Matching".
"""

from dataclasses import dataclass

from jayx_stream.engine.book import Book
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order, OrderType, Side


@dataclass(slots=True)
class Matches:
    """The fills, in the order in which they happen, and what stopped them."""

    fills: list[tuple[Order, int]]
    """Resting order and the lots taken from it."""
    remaining_lots: int
    """What is left of the incoming order."""
    met_own_order: bool
    """Whether the next order to take was the incoming one's own account's."""


def match(
    book: Book,
    instrument: Instrument,
    *,
    account: str,
    side: Side,
    type: OrderType,
    lots: int,
    limit_ticks: int,
    quote_units: int,
) -> Matches:
    """Walk the opposite half of the book from its best price.

    `quote_units` is what the account has to spend; only a MARKET BUY, which reserves nothing, asks.
    """
    remaining_lots = lots
    fills: list[tuple[Order, int]] = []
    spends = type is OrderType.MARKET and side is Side.BUY
    for level in book.opposite(side).levels():
        ticks = level.ticks
        if limit_ticks and (ticks > limit_ticks if side is Side.BUY else ticks < limit_ticks):
            break
        lot_cost = instrument.quote_units(1, ticks)
        for resting in level.orders.values():
            if resting.account == account:
                return Matches(fills, remaining_lots, met_own_order=True)
            wanted = taken = min(remaining_lots, resting.remaining_lots)
            if spends:
                taken = min(wanted, quote_units // lot_cost)
                quote_units -= taken * lot_cost
            if taken:
                fills.append((resting, taken))
                remaining_lots -= taken
            if taken < wanted or remaining_lots == 0:
                return Matches(fills, remaining_lots, met_own_order=False)
    return Matches(fills, remaining_lots, met_own_order=False)
