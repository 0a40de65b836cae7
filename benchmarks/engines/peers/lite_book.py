"""litebook: Rust, prices in floats, ids that are texts."""

from driving import tell
from litebook import Order, OrderBook, OrderType


class Driven:
    """See `driving.Engine`."""

    def __init__(self):
        self.book = OrderBook(tick_size=1.0)
        self.ids = {}
        self.fills = self.lots = 0

    def place(self, number, is_buy, lots, ticks, account):
        order = Order(OrderType.Buy if is_buy else OrderType.Sell, ticks, lots)
        self.ids[number] = order.id
        for fill in self.book.add(order):
            self.fills += 1
            self.lots += int(fill.quantity)

    def cancel(self, number):
        assert self.book.cancel(self.ids.pop(number))

    def open_lots(self):
        orders = [*self.book.buy_orders, *self.book.sell_orders]
        return int(sum(order.quantity for order in orders if order.is_open()))


tell(Driven())
