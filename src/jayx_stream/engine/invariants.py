"""What holds after each commit that trades, asserted in life and in recovery alike.

Looks only at what the commit touched. The rest stands where it can break: nobody overdraws
(`ledger`), a level holds its orders' lots and no book is crossed (`book`), an order is its fills and
what is left (`model/order.py`).
"""

from collections.abc import Sequence

from jayx_stream.engine.market import Market
from jayx_stream.model.events import AnyEvent, Traded
from jayx_stream.model.order import Order


def check_trades(taker: Order, events: Sequence[AnyEvent], market: Market) -> None:
    """Assert that the incoming order is the sum of its commit's trades, and that these moved money
    and made none.
    """
    lots = cost = 0
    for event in events:
        if isinstance(event, Traded):
            lots += event.lots
            cost += event.lots * event.ticks
    assert taker.executed_lots == lots, f"executed lots = fills: order {taker.order_id}"
    assert taker.cost == cost, f"cost = fills: order {taker.order_id}"
    if lots:
        market.base.check_conserved()
        market.quote.check_conserved()
