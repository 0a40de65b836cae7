"""limit-order-book 2.0.0: C++ behind ctypes. It tells nobody what was filled: no ledger can stand on it."""

from driving import tell
from limit_order_book import LimitOrderBook


class Driven:
    """See `driving.Engine`."""

    fills = None
    lots = None

    def __init__(self):
        self.book = LimitOrderBook()

    def place(self, number, is_buy, lots, ticks, account):
        if is_buy:
            self.book.limit_buy(number, lots, ticks)
        else:
            self.book.limit_sell(number, lots, ticks)

    def cancel(self, number):
        self.book.cancel(number)

    def open_lots(self):
        return self.book.volume()


tell(Driven())
