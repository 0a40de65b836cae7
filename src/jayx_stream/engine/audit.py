"""What holds of an exchange's whole state, whatever happened: for tests, and for reading a journal over.

`engine/invariants.py` looks at what one commit touched; this looks at everything, and takes as long.
"""

from collections import Counter

from jayx_stream.engine.exchange import Exchange
from jayx_stream.engine.ledger import OUTSIDE
from jayx_stream.model.order import OrderState, Side


def audit(exchange: Exchange) -> None:
    """Assert all invariants of a single state; the assertion names the one that is broken."""
    check_money_is_conserved(exchange)
    check_reserves_are_those_of_open_orders(exchange)
    check_books_hold_the_open_orders(exchange)
    check_orders_add_up(exchange)


def check_money_is_conserved(exchange: Exchange) -> None:
    """Per asset, all accounts with the fees' and the outside's sum to zero."""
    totals: Counter[str] = Counter()
    for balances in exchange.ledger.accounts().values():
        for asset, balance in balances.items():
            totals[asset] += balance.units
    assert set(totals.values()) <= {0}, f"money was made or lost: {dict(totals)}"


def check_reserves_are_those_of_open_orders(exchange: Exchange) -> None:
    """0 <= reserved <= balance, and reserved is the sum of what open orders may have to give."""
    expected: Counter[tuple[str, str]] = Counter()
    for order in exchange.orders.values():
        instrument = exchange.instruments[order.symbol]
        if order.side is Side.BUY:
            units = order.remaining_lots * order.limit_ticks * instrument.tick_lot_units
            expected[order.account, instrument.quote] += units
        else:
            expected[order.account, instrument.base] += order.remaining_lots * instrument.lot_units
    for account, balances in exchange.ledger.accounts().items():
        for asset, balance in balances.items():
            reserved_units = balance.reserved_units
            assert reserved_units == expected[account, asset], f"reserve of {account} in {asset}"
            if account != OUTSIDE:
                assert 0 <= reserved_units <= balance.units, f"{account} owes {asset}"


def check_books_hold_the_open_orders(exchange: Exchange) -> None:
    """Each open order rests once, at its price, in order of time; no book is crossed."""
    resting: list[int] = []
    for symbol, book in exchange.books.items():
        for side in Side:
            levels = list(book.half(side).levels())
            prices = [level.ticks for level in levels]
            assert prices == sorted(set(prices), reverse=side is Side.BUY), f"{symbol}: {prices}"
            for level in levels:
                orders = list(level.orders.values())
                assert all(
                    (order.symbol, order.side, order.limit_ticks) == (symbol, side, level.ticks)
                    for order in orders
                ), f"a stranger rests at {level.ticks} of {symbol}"
                lots = sum(order.remaining_lots for order in orders)
                assert level.lots == lots > 0, f"{level.lots} lots at {level.ticks} of {symbol}"
                ids = [order.order_id for order in orders]
                assert ids == sorted(ids), f"{ids} at {level.ticks} are not in order of time"
                resting += ids
        bid, ask = book.half(Side.BUY).best(), book.half(Side.SELL).best()
        if bid is not None and ask is not None:
            assert bid.ticks < ask.ticks, f"{symbol} is crossed: {bid.ticks} and {ask.ticks}"
    assert sorted(resting) == sorted(exchange.orders), "open orders and books disagree"


def check_orders_add_up(exchange: Exchange) -> None:
    """What is executed and what is left is an open order's size; an amended one was larger before."""
    orders = exchange.all_orders
    for order in orders.open.values():
        assert order.executed_lots + order.remaining_lots == order.lots, f"order {order.order_id}"
        filled = OrderState.PARTIALLY_FILLED if order.executed_lots else OrderState.NEW
        assert order.state is filled, f"order {order.order_id} is {order.state}"
    named = {order.order_id: order for order in orders.named.values()}
    for order_id, lots in orders.lots_as_placed.items():
        assert lots > named[order_id].lots, f"order {order_id} grew from {lots} lots"
