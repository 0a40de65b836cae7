"""What was traded of one symbol within 24 hours, in whole minutes of the exchange's clock.

One trade touches one minute. Sums of the whole minutes are kept as minutes come and go, the highest and
the lowest price are looked for once a minute at most, and only if somebody asks.
"""

from collections import deque

from jayx_stream.model.views import TICKER_WINDOW_S, Level, Ticker
from jayx_stream.projections.state import MinuteState, TickerState

MINUTE_S = 60


class TradedMinute:
    """One minute's trades."""

    __slots__ = ("cost", "created_s", "first_id", "high", "lots", "low", "open")

    def __init__(self, created_s: int) -> None:
        self.created_s = created_s
        self.first_id = 0
        """0: nothing was traded yet."""
        self.open = self.high = self.low = 0
        self.lots = self.cost = 0

    def state(self) -> MinuteState:
        """What stands now."""
        return (
            self.created_s,
            self.first_id,
            self.open,
            self.high,
            self.low,
            self.lots,
            self.cost,
        )

    @classmethod
    def restored(cls, state: MinuteState) -> "TradedMinute":
        """The one that stood so."""
        minute = cls(state[0])
        _, minute.first_id, minute.open, minute.high, minute.low, minute.lots, minute.cost = state
        return minute


class SymbolTicker:
    """The current minute, and those before it that were traded in: at most 1440."""

    def __init__(self, minute_s: int) -> None:
        """`minute_s`: start of the current minute."""
        self._last_ticks: int | None = None
        self._last_id = 0
        self._minute = TradedMinute(minute_s)
        self._past: deque[TradedMinute] = deque()
        """Oldest first."""
        self._past_lots = self._past_cost = 0
        self._past_range: tuple[int, int] | None = None
        """Highest and lowest price of past minutes; None: to be looked for."""

    def trade(self, trade_id: int, ticks: int, lots: int) -> None:
        """Take a trade of the current minute in. Ids of a symbol are consecutive."""
        minute = self._minute
        if minute.first_id == 0:
            minute.first_id = trade_id
            minute.open = minute.high = minute.low = ticks
        elif ticks > minute.high:
            minute.high = ticks
        elif ticks < minute.low:
            minute.low = ticks
        minute.lots += lots
        minute.cost += lots * ticks
        self._last_ticks = ticks
        self._last_id = trade_id

    def begin_minute(self, minute_s: int) -> None:
        """Begin a minute, and forget those that are over for more than 24 hours."""
        ended, past = self._minute, self._past
        if ended.first_id:
            past.append(ended)
            self._past_lots += ended.lots
            self._past_cost += ended.cost
            self._past_range = None
        self._minute = TradedMinute(minute_s)
        while past and past[0].created_s < minute_s - TICKER_WINDOW_S:
            gone = past.popleft()
            self._past_lots -= gone.lots
            self._past_cost -= gone.cost
            self._past_range = None

    def view(self, symbol: str, bid: Level | None, ask: Level | None) -> Ticker:
        """As it stands now."""
        minute, past = self._minute, self._past
        first = past[0] if past else minute
        was_traded = first.first_id > 0
        high, low = self._range() if was_traded else (None, None)
        return Ticker(
            symbol=symbol,
            last_ticks=self._last_ticks,
            open_ticks=first.open if was_traded else None,
            high_ticks=high,
            low_ticks=low,
            lots=self._past_lots + minute.lots,
            cost=self._past_cost + minute.cost,
            count=self._last_id - first.first_id + 1 if was_traded else 0,
            first_trade_id=first.first_id if was_traded else None,
            last_trade_id=self._last_id if was_traded else None,
            bid=bid,
            ask=ask,
            open_s=minute.created_s - TICKER_WINDOW_S,
            close_s=minute.created_s + MINUTE_S,
        )

    def _range(self) -> tuple[int, int]:
        """Highest and lowest price of all minutes; at least one was traded in."""
        minute, past = self._minute, self._past
        if not past:
            return minute.high, minute.low
        if self._past_range is None:
            self._past_range = (max(each.high for each in past), min(each.low for each in past))
        high, low = self._past_range
        if minute.first_id == 0:
            return high, low
        return max(high, minute.high), min(low, minute.low)

    def state(self, symbol: str) -> TickerState:
        """What stands now."""
        minutes = tuple(minute.state() for minute in (*self._past, self._minute))
        return TickerState(symbol, self._last_ticks, self._last_id, minutes)

    @classmethod
    def restored(cls, state: TickerState) -> "SymbolTicker":
        """The one that stood so."""
        *past, minute = (TradedMinute.restored(each) for each in state.minutes)
        ticker = cls(minute.created_s)
        ticker._last_ticks, ticker._last_id, ticker._minute = (
            state.last_ticks,
            state.last_id,
            minute,
        )
        ticker._past.extend(past)
        ticker._past_lots = sum(each.lots for each in past)
        ticker._past_cost = sum(each.cost for each in past)
        return ticker
