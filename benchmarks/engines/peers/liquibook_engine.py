"""liquibook: Liquibook's C++ behind SWIG. Its plain book, which keeps no depth."""

import liquibook
from driving import tell


class Listener(liquibook.OrderListener):
    """SWIG asks for every method that can be called."""

    def __init__(self):
        super().__init__()
        self.fills = self.lots = 0

    def on_accept(self, order):
        pass

    def on_cancel(self, order):
        pass

    def on_fill(self, order, matched, lots, price):
        self.fills += 1
        self.lots += lots


class Driven:
    """See `driving.Engine`."""

    def __init__(self):
        self.listener = Listener()
        self.book = liquibook.liquibook_book_OrderBook("BTCUSDT")
        self.book.set_order_listener(self.listener)
        self.orders = {}

    @property
    def fills(self):
        return self.listener.fills

    @property
    def lots(self):
        return self.listener.lots

    def place(self, number, is_buy, lots, ticks, account):
        order = self.orders[number] = liquibook.SimpleOrder(is_buy, ticks, lots)
        self.book.add(order)

    def cancel(self, number):
        self.book.cancel(self.orders.pop(number))

    def open_lots(self):
        return None


tell(Driven())
