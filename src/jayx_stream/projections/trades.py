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
        self._told: tuple[PublicTrade, ...] | None = None
        """What `last` gave, until there is another trade."""
        self._told_limit = 0

    def add(self, event: Traded, time_ns: int) -> None:
        """Take a trade in."""
        self.last_id = event.trade_id
        trade = PublicTrade(event.lots, event.ticks, event.side, time_ns // NS_PER_MS)
        self._trades.appendleft(trade)
        self._told = None

    def last(self, limit: int) -> tuple[PublicTrade, ...]:
        """The newest `limit` trades, newest first; the same tuple to all who ask for as many."""
        if not limit:
            return ()
        if self._told is None or limit != self._told_limit:
            self._told = tuple(islice(self._trades, limit))
            self._told_limit = limit
        return self._told

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
