"""Klines of all intervals, folded from trades and the exchange's clock.

One trade touches one kline, that of the current minute; at each whole minute that one is merged
into those of the longer intervals. All intervals are whole minutes, so nothing is lost by it.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from jayx_stream.model.views import INTERVALS_S, Kline, KlineTurn, bucket_start_s
from jayx_stream.projections.state import CandleState, KlinesState

CLOSED_KLINES_MAX = 1000
"""Closed klines kept per symbol and interval: what one request may ask for (protocol §4)."""

MINUTE_S = 60


class Candle:
    """A kline in the making: flat at the close before, until the first trade sets its open."""

    __slots__ = ("close", "created_s", "high", "lots", "low", "modified_s", "open")

    def __init__(self, created_s: int, close_ticks: int) -> None:
        self.created_s = created_s
        self.open = self.high = self.low = self.close = close_ticks
        self.lots = 0
        self.modified_s = created_s

    def trade(self, ticks: int, lots: int, time_s: int) -> None:
        """Take one trade in."""
        if self.lots == 0:
            self.open = self.high = self.low = ticks
        elif ticks > self.high:
            self.high = ticks
        elif ticks < self.low:
            self.low = ticks
        self.close = ticks
        self.lots += lots
        self.modified_s = time_s

    def merge(self, later: "Candle") -> None:
        """Take in a shorter kline that follows all that this one holds."""
        if later.lots == 0:
            return
        if self.lots == 0:
            self.open, self.high, self.low = later.open, later.high, later.low
        else:
            self.high = max(self.high, later.high)
            self.low = min(self.low, later.low)
        self.close = later.close
        self.lots += later.lots
        self.modified_s = later.modified_s

    def copy(self) -> "Candle":
        """One that can go its own way."""
        other = Candle(self.created_s, self.close)
        other.merge(self)
        return other

    def view(self, symbol: str, interval_s: int) -> Kline:
        """As it stands now."""
        return Kline(symbol, interval_s, *self.state())

    def state(self) -> CandleState:
        """What stands now."""
        return (
            self.created_s,
            self.open,
            self.high,
            self.low,
            self.close,
            self.lots,
            self.modified_s,
        )

    @classmethod
    def restored(cls, state: CandleState) -> "Candle":
        """The one that stood so."""
        candle = cls(state[0], state[4])
        _, candle.open, candle.high, candle.low, _, candle.lots, candle.modified_s = state
        return candle


class SymbolKlines:
    """All klines of one symbol, from its first trade on."""

    def __init__(self, symbol: str, time_s: int, ticks: int) -> None:
        self._symbol = symbol
        self._minute = Candle(bucket_start_s(time_s, MINUTE_S), ticks)
        self._whole_minutes = {
            interval_s: Candle(bucket_start_s(time_s, interval_s), ticks)
            for interval_s in INTERVALS_S
        }
        """Per interval its current kline, as far as whole minutes are over."""
        self._closed: dict[int, deque[Kline]] = {
            interval_s: deque(maxlen=CLOSED_KLINES_MAX) for interval_s in INTERVALS_S
        }

    def trade(self, ticks: int, lots: int, time_s: int) -> None:
        """Take a trade of the current minute in."""
        self._minute.trade(ticks, lots, time_s)

    def begin_minute(self, time_s: int) -> Iterator[tuple[int, KlineTurn]]:
        """Begin a minute, and give the turn of each interval that it is the start of. After a long
        pause only the newest `CLOSED_KLINES_MAX` of the flat klines are made.
        """
        minute = self._minute
        self._minute = Candle(time_s, minute.close)
        for interval_s, candle in self._whole_minutes.items():
            candle.merge(minute)
            current_s = bucket_start_s(time_s, interval_s)
            if current_s > candle.created_s:
                yield interval_s, self._turn(interval_s, candle, current_s)

    def _turn(self, interval_s: int, closing: Candle, current_s: int) -> KlineTurn:
        closed = closing.view(self._symbol, interval_s)
        first_s = max(closing.created_s + interval_s, current_s - CLOSED_KLINES_MAX * interval_s)
        opened = tuple(
            Candle(created_s, closing.close).view(self._symbol, interval_s)
            for created_s in range(first_s, current_s + 1, interval_s)
        )
        self._closed[interval_s].extend((closed, *opened[:-1]))
        self._whole_minutes[interval_s] = Candle(current_s, closing.close)
        return KlineTurn(closed, opened)

    def current(self, interval_s: int) -> Kline:
        """The open kline."""
        candle = self._whole_minutes[interval_s].copy()
        candle.merge(self._minute)
        return candle.view(self._symbol, interval_s)

    def closed(self, interval_s: int, limit: int) -> Sequence[Kline]:
        """The last closed klines, oldest first, at most `limit`."""
        klines = self._closed[interval_s]
        return list(klines)[-limit:] if limit else []

    def state(self) -> KlinesState:
        """What stands now."""
        return KlinesState(
            self._symbol,
            self._minute.state(),
            tuple((each, candle.state()) for each, candle in self._whole_minutes.items()),
            tuple((each, tuple(map(_row, klines))) for each, klines in self._closed.items()),
        )

    @classmethod
    def restored(cls, state: KlinesState) -> "SymbolKlines":
        """Those that stood so."""
        klines = cls(state.symbol, state.minute[0], state.minute[4])
        klines._minute = Candle.restored(state.minute)
        for interval_s, candle in state.whole_minutes:
            klines._whole_minutes[interval_s] = Candle.restored(candle)
        for interval_s, closed in state.closed:
            klines._closed[interval_s].extend(
                Kline(state.symbol, interval_s, *each) for each in closed
            )
        return klines


def _row(kline: Kline) -> CandleState:
    return (
        kline.created_s,
        kline.open_ticks,
        kline.high_ticks,
        kline.low_ticks,
        kline.close_ticks,
        kline.lots,
        kline.modified_s,
    )
