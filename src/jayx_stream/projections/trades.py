"""The last public trades of one symbol."""

from collections import deque
from itertools import islice

from jayx_stream.model.events import Traded
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import PublicTrade
from jayx_stream.projections.state import TradesState

TRADES_MAX = 1000
"""Trades kept per symbol: what one request may ask for."""


class SymbolTrades:
    """Newest first."""

    def __init__(self) -> None:
        self.last_id = 0
        """Of the newest trade; 0 before the first. Ids are consecutive."""
        self._trades: deque[PublicTrade] = deque(maxlen=TRADES_MAX)

    def add(self, event: Traded, time_ns: int) -> None:
        """Take a trade in."""
        self.last_id = event.trade_id
        trade = PublicTrade(event.lots, event.ticks, event.side, time_ns // NS_PER_MS)
        self._trades.appendleft(trade)

    def last(self, limit: int) -> tuple[PublicTrade, ...]:
        """The newest `limit` trades, newest first."""
        return tuple(islice(self._trades, limit))

    def state(self, symbol: str) -> TradesState:
        """What stands now."""
        rows = ((each.lots, each.ticks, each.side, each.created) for each in self._trades)
        return TradesState(symbol, self.last_id, tuple(rows))

    @classmethod
    def restored(cls, state: TradesState) -> "SymbolTrades":
        """Those that stood so."""
        trades = cls()
        trades.last_id = state.last_id
        trades._trades.extend(PublicTrade(*row) for row in state.trades)
        return trades
