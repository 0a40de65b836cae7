"""Which open orders a command cancels or makes smaller. Reads only.

Source of the rules: protocol §9, `amend`, `cancel` and `cancelAll`.
"""

from collections.abc import Mapping
from typing import Final

from jayx_stream.engine.orders import AllOrders, unknown_order
from jayx_stream.model.commands import AmendOrder, CancelAll, CancelAsOperator, CancelOrder
from jayx_stream.model.events import AnyEvent, CancelReason, OrderAmended, OrderCanceled
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.reasons import ErrorCode, Refused

Events = tuple[AnyEvent, ...]

_BY_OWNER: Final = CancelReason.BY_OWNER


def decide_amend(
    command: AmendOrder, orders: AllOrders, instruments: Mapping[str, Instrument]
) -> Events | Refused:
    """Down to what is executed; that fills the order."""
    order = orders.find_open(command)
    if isinstance(order, Refused):
        return order
    lots, min_lots = command.lots, instruments[order.symbol].min_lots
    if lots == order.lots:
        return ()
    if lots > order.lots:
        return _bad(f"order {order.order_id} has {order.lots} lots and can't grow to {lots}")
    if lots < min_lots:
        return _bad(f"{lots} lots are fewer than the {min_lots} that {order.symbol} takes")
    if lots < order.executed_lots:
        return _bad(
            f"{order.executed_lots} lots of order {order.order_id} are executed, {lots} are fewer"
        )
    return (OrderAmended(order.order_id, lots),)


def decide_cancel(command: CancelOrder, orders: AllOrders) -> Events | Refused:
    """One order, by its owner."""
    order = orders.find_open(command)
    if isinstance(order, Refused):
        return order
    return (OrderCanceled(order.order_id, _BY_OWNER),)


def decide_cancel_all(command: CancelAll, orders: AllOrders) -> Events:
    """All of an account, or those of a symbol."""
    return tuple(
        OrderCanceled(order.order_id, _BY_OWNER)
        for order in orders.open_of(command.account)
        if command.symbol in (None, order.symbol)
    )


def decide_cancel_as_operator(command: CancelAsOperator, orders: AllOrders) -> Events | Refused:
    """Account and symbol, if given, are known."""
    order_id, account, symbol = command.order_id, command.account, command.symbol
    if order_id is None and account is None and symbol is None:
        reason = "which orders are canceled? name an order, an account or a symbol"
        return Refused(ErrorCode.BAD_REQUEST, reason)
    found: list[Order]
    if order_id is not None:
        if order_id not in orders.open:
            return unknown_order(order_id)
        found = [orders.open[order_id]]
    else:
        found = list(orders.open.values() if account is None else orders.open_of(account))
    return tuple(
        OrderCanceled(order.order_id, CancelReason.BY_OPERATOR)
        for order in found
        if account in (None, order.account) and symbol in (None, order.symbol)
    )


def _bad(reason: str) -> Refused:
    return Refused(ErrorCode.BAD_ORDER, reason)
