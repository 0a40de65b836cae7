"""lightmatchingengine: dicts of lists in Python. It tells both sides' trades: the resting ones count."""

from driving import tell
from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side


class Driven:
    """See `driving.Engine`."""

    def __init__(self):
        self.engine = LightMatchingEngine()
        self.ids = {}
        self.fills = self.lots = 0

    def place(self, number, is_buy, lots, ticks, account):
        side = Side.BUY if is_buy else Side.SELL
        order, trades = self.engine.add_order("BTCUSDT", ticks, lots, side)
        self.ids[number] = order.order_id
        for trade in trades:
            if trade.order_id != order.order_id:
                self.fills += 1
                self.lots += trade.trade_qty

    def cancel(self, number):
        assert self.engine.cancel_order(self.ids.pop(number), "BTCUSDT")

    def open_lots(self):
        book = self.engine.order_books["BTCUSDT"]
        levels = [*book.bids.values(), *book.asks.values()]
        return sum(order.leaves_qty for level in levels for order in level)


tell(Driven())
