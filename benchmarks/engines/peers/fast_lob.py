"""fastlob: pure Python on Decimal, with locks and UUIDs. It tells what was taken, not of whom."""

from driving import tell
from fastlob import Orderbook, OrderParams, OrderSide


class Driven:
    """See `driving.Engine`."""

    fills = None

    def __init__(self):
        self.book = Orderbook()
        self.ids = {}
        self.lots = 0

    def place(self, number, is_buy, lots, ticks, account):
        side = OrderSide.BID if is_buy else OrderSide.ASK
        result = self.book.process(OrderParams(side, ticks, lots))
        self.ids[number] = result.orderid()
        if result._execprices:
            self.lots += int(sum(result._execprices.values()))

    def cancel(self, number):
        assert self.book.cancel(self.ids.pop(number)).success()

    def open_lots(self):
        return int(self.book._askside.volume() + self.book._bidside.volume())


driven = Driven()
with driven.book:
    tell(driven)
