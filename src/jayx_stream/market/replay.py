"""A recorded market as a driver: the same diffs and trades, as orders, at the recorded time.

The venue's clock is the recording's: it is advanced to a line's time before its orders are placed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from jayx_stream.market import Submit
from jayx_stream.market.funding import REPLAY_DEPOSIT_UNITS, fund
from jayx_stream.market.pipeline import Pipeline
from jayx_stream.market.recorded_book import MAKER, TAKER, RecordedBook
from jayx_stream.market.recording import (
    DepthDiff,
    Fault,
    OnFault,
    RecordedLine,
    RecordedMarket,
    RecordedTrade,
)
from jayx_stream.market.tally import Tally
from jayx_stream.model.commands import AdvanceClock
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.units import MINUTE_NS, NS_PER_S, NotADecimal, NotAStep

PROGRESS_S = 1.0
"""Between two reports of progress."""
YIELD_LINES = 64
"""Lines after which others on the event loop get their turn, however fast a replay is asked for."""
CACHED_TEXTS = 65_536
"""Decimal texts per symbol whose ticks or lots are remembered: the same ones come again and again."""


class Progress(Struct, frozen=True):
    """How far a replay is."""

    lines: int
    percent: float
    """Of the files' bytes."""
    orders: int
    trades: int
    bad_lines: int
    time_ns: int
    """Recorded time; 0 before the first line."""
    elapsed_s: float


class Replay:
    """See `Driver`. Runs once."""

    def __init__(
        self,
        paths: Sequence[Path],
        instruments: Iterable[Instrument],
        submit: Submit,
        advance: Callable[[int], None],
        *,
        speed: float | None = 1.0,
        on_fault: OnFault = lambda fault: None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """`advance` sets the venue's clock, in nanoseconds. `speed` is a multiple of the recorded
        pace; None is as fast as can be. Raises RecordingError for a file that can't be opened.
        """
        assert speed is None or speed > 0, f"a speed of {speed}"
        self._market = RecordedMarket(paths, on_fault)
        self._submit = submit
        self._advance = advance
        self._speed = speed
        self._on_fault = on_fault
        self._on_progress = on_progress
        self._pipeline = Pipeline(submit)
        self._symbols = {each.symbol: _Symbol(each, self._pipeline) for each in instruments}
        self._unknown: dict[str, int] = {}
        """Lines per symbol that no instrument is there for."""
        self._lines = self._bad_numbers = 0
        self._time_ns = self._first_ns = 0
        self._next_minute_ns = 0
        self._began_s = self._reported_s = self._ended_s = perf_counter()

    async def prepare(self) -> None:
        instruments = [each.instrument for each in self._symbols.values()]
        await fund(self._submit, (MAKER, TAKER), instruments, REPLAY_DEPOSIT_UNITS)

    async def run(self) -> None:
        self._began_s = self._reported_s = perf_counter()
        with closing(self._market):
            for line in self._market:
                await self._reach(line.time_ns)
                self._lines += 1
                if line.content is not None:
                    await self._follow(line, line.content)
                    if self._pipeline.unavailable is not None:
                        break
                if self._lines % YIELD_LINES == 0:
                    await asyncio.sleep(0)
                    self._report_if_due()
            for symbol in self._symbols.values():
                await symbol.book.change((), ())
            await self._pipeline.drain()
        self._ended_s = perf_counter()
        self._on_progress(self.progress(self._ended_s))

    def progress(self, now_s: float) -> Progress:
        """How far the replay is; `now_s` by `time.perf_counter`."""
        tallies = [symbol.tally for symbol in self._symbols.values()]
        return Progress(
            lines=self._lines,
            percent=100 * self._market.read_share(),
            orders=sum(tally.orders for tally in tallies),
            trades=sum(tally.trades for tally in tallies),
            bad_lines=self._market.faults + self._bad_numbers,
            time_ns=self._time_ns,
            elapsed_s=now_s - self._began_s,
        )

    def summary(self) -> str:
        """What was replayed, and why it differs from the recording where it does. For people."""
        end = self.progress(self._ended_s)
        recorded_s = (self._time_ns - self._first_ns) / NS_PER_S
        texts = [
            f"{end.lines} lines ({recorded_s:.1f} s) in {end.elapsed_s:.1f} s: {end.orders} orders, "
            f"{end.trades} trades, {end.bad_lines} bad lines"
        ]
        texts += [str(each.tally) for each in self._symbols.values() if each.tally.orders]
        texts += [
            f"{symbol}: {lines} lines passed over, there is no such instrument"
            for symbol, lines in self._unknown.items()
        ]
        if self._pipeline.unavailable is not None:
            texts.append(f"ended early, an order was not taken: {self._pipeline.unavailable}")
        return "\n".join(texts)

    async def _reach(self, time_ns: int) -> None:
        """Wait until a time is due and set the clock to it, each whole minute on the way."""
        if self._next_minute_ns == 0:
            self._first_ns = time_ns
            self._next_minute_ns = _minute(time_ns) + MINUTE_NS
        if self._speed is None and time_ns >= self._next_minute_ns:
            await self._strike(_minute(time_ns))
        while time_ns >= self._next_minute_ns:
            await self._sleep_until(self._next_minute_ns)
            await self._strike(self._next_minute_ns)
        await self._sleep_until(time_ns)
        self._time_ns = max(time_ns, self._time_ns)
        self._advance(self._time_ns)

    async def _strike(self, minute_ns: int) -> None:
        self._advance(minute_ns)
        await self._pipeline.send(AdvanceClock(minute_ns=minute_ns))
        self._next_minute_ns = minute_ns + MINUTE_NS

    async def _sleep_until(self, time_ns: int) -> None:
        if self._speed is None:
            return
        due_s = self._began_s + (time_ns - self._first_ns) / NS_PER_S / self._speed
        while (rest_s := due_s - perf_counter()) > 0:
            await asyncio.sleep(min(rest_s, PROGRESS_S))
            self._report_if_due()

    async def _follow(self, line: RecordedLine, content: DepthDiff | RecordedTrade) -> None:
        symbol = self._symbols.get(content.symbol)
        if symbol is None:
            if content.symbol not in self._unknown:
                reason = f"there is no instrument {content.symbol}: its lines are passed over"
                self._on_fault(Fault(line.path, line.number, reason))
            self._unknown[content.symbol] = self._unknown.get(content.symbol, 0) + 1
            return
        try:
            if isinstance(content, DepthDiff):
                await symbol.change(content)
            else:
                await symbol.trade(content)
        except NotADecimal as error:
            self._bad_numbers += 1
            self._on_fault(Fault(line.path, line.number, str(error)))

    def _report_if_due(self) -> None:
        now_s = perf_counter()
        if now_s - self._reported_s >= PROGRESS_S:
            self._reported_s = now_s
            self._on_progress(self.progress(now_s))


class _Symbol:
    """From recorded texts to ticks and lots of one instrument."""

    def __init__(self, instrument: Instrument, pipeline: Pipeline) -> None:
        self.instrument = instrument
        self.tally = Tally(instrument)
        self.book = RecordedBook(instrument.symbol, pipeline, self.tally)
        self._ticks = lru_cache(CACHED_TEXTS)(self._whole_ticks)
        self._lots = lru_cache(CACHED_TEXTS)(self._lots_below)

    async def change(self, diff: DepthDiff) -> None:
        """Raises NotADecimal before anything is done."""
        bids, asks = self._levels(diff.bids), self._levels(diff.asks)
        await self.book.change(bids, asks)

    async def trade(self, trade: RecordedTrade) -> None:
        """Raises NotADecimal before anything is done."""
        ticks, (lots, whole) = self._ticks(trade.price), self._lots(trade.quantity)
        if ticks is None or lots == 0 or not whole:
            self.tally.skipped_trades += 1
            self.tally.skipped_quantity += Decimal(trade.quantity)
            return
        self.tally.trades += 1
        self.tally.recorded_lots += lots
        await self.book.trade(trade.side, ticks, lots)

    def _levels(self, texts: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
        levels = []
        for price, quantity in texts:
            ticks, (lots, whole) = self._ticks(price), self._lots(quantity)
            if ticks is None:
                self.tally.skipped_levels += 1
            else:
                levels.append((ticks, lots))
                self.tally.rounded_levels += not whole
        return levels

    def _whole_ticks(self, price: str) -> int | None:
        """None if the price is not a whole number of ticks, at least 1."""
        try:
            return self.instrument.tick_size.count(price) or None
        except NotAStep:
            return None

    def _lots_below(self, quantity: str) -> tuple[int, bool]:
        """The most lots that may be ordered and are not above the quantity, 0 if there are none;
        and whether they are all of it.
        """
        step, whole = self.instrument.lot_size, True
        try:
            lots = step.count(quantity)
        except NotAStep as error:
            lots, whole = step.count(error.below), False
        if lots > self.instrument.max_lots:
            return self.instrument.max_lots, False
        if 0 < lots < self.instrument.min_lots:
            return 0, False
        return lots, whole


def _minute(time_ns: int) -> int:
    return time_ns - time_ns % MINUTE_NS
