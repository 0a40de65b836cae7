"""cython-orderbook: Cython over SortedDict. Its trade log is a list of the book, read at the end."""

from cython_orderbook import Order, OrderBook, OrderSide
from driving import tell


class Driven:
    """See `driving.Engine`."""

    def __init__(self):
        self.book = OrderBook()
        self.ids = {}

    @property
    def fills(self):
        return len(self.book.trade_log)

    @property
    def lots(self):
        return sum(trade.quantity_filled for trade in self.book.trade_log)

    def place(self, number, is_buy, lots, ticks, account):
        side = OrderSide.BID if is_buy else OrderSide.ASK
        order = Order(side=side, price=ticks, original_quantity=lots)
        self.ids[number] = order.order_id
        self.book.add_limit_order(order)

    def cancel(self, number):
        assert self.book.cancel_order(self.ids.pop(number))

    def open_lots(self):
        return sum(order.remaining_quantity for _, order in self.book.orders.values())


tell(Driven())
