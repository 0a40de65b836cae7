"""matching-engine: pure Python, with events and self-trade prevention; its log and gateway left out."""

from driving import tell
from matching_engine import CancelOrder, NewOrder, SequencedCommand, Side
from matching_engine.engine import MatchingEngine
from matching_engine.events import Trade


class Driven:
    """See `driving.Engine`."""

    def __init__(self):
        self.engine = MatchingEngine()
        self.accounts = {}
        self.seq = self.fills = self.lots = 0

    def do(self, command):
        self.seq += 1
        return self.engine.process(SequencedCommand(self.seq, self.seq, command))

    def place(self, number, is_buy, lots, ticks, account):
        self.accounts[number] = account
        side = Side.BUY if is_buy else Side.SELL
        for event in self.do(NewOrder(number, account, side, ticks, lots)):
            if type(event) is Trade:
                self.fills += 1
                self.lots += event.qty

    def cancel(self, number):
        self.do(CancelOrder(number, self.accounts.pop(number)))

    def open_lots(self):
        return sum(entry.qty for entry in self.engine.book.entries())


tell(Driven())
