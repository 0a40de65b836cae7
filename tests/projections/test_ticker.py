"""24 hours' figures equal those of all trades in 1440 whole minutes and the current one."""

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jayx_stream.model.events import (
    AccountOpened,
    Commit,
    Deposited,
    InstrumentListed,
    MinuteBegan,
    OrderPlaced,
    Traded,
)
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.views import Level, Ticker
from jayx_stream.projections import Projections
from jayx_stream.projections.ticker import SymbolTicker
from tests.engine.driving import instruments
from tests.projections.following import follow, journal

OIL = "OILUSD"
DAY_S = 86400
START_S = 1716131580
"""A whole minute."""


class Trade(NamedTuple):
    """A trade as far as tickers look at it; its id is its number."""

    minute_s: int
    """The exchange's, when it happened."""
    ticks: int
    lots: int


def naive(trades: list[Trade], minute_s: int) -> Ticker:
    """From all trades that there ever were."""
    recent = [trade for trade in trades if trade.minute_s >= minute_s - DAY_S]
    return Ticker(
        symbol=OIL,
        last_ticks=trades[-1].ticks if trades else None,
        open_ticks=recent[0].ticks if recent else None,
        high_ticks=max((trade.ticks for trade in recent), default=None),
        low_ticks=min((trade.ticks for trade in recent), default=None),
        lots=sum(trade.lots for trade in recent),
        cost=sum(trade.lots * trade.ticks for trade in recent),
        count=len(recent),
        first_trade_id=len(trades) - len(recent) + 1 if recent else None,
        last_trade_id=len(trades) if recent else None,
        bid=None,
        ask=None,
        open_s=minute_s - DAY_S,
        close_s=minute_s + 60,
    )


class Recorder:
    """A ticker under a clock that strikes minutes as the exchange's does."""

    def __init__(self) -> None:
        self.minute_s = START_S
        self.ticker = SymbolTicker(START_S)
        self.trades: list[Trade] = []

    def strike(self, time_s: int) -> None:
        """The minute of `time_s` begins, if it has not yet."""
        if time_s >= self.minute_s + 60:
            self.minute_s = time_s - time_s % 60
            self.ticker.begin_minute(self.minute_s)

    def trade(self, time_s: int, ticks: int, lots: int = 1) -> None:
        """One trade; its minute begins before it."""
        self.strike(time_s)
        self.trades.append(Trade(self.minute_s, ticks, lots))
        self.ticker.trade(len(self.trades), ticks, lots)

    def check(self) -> Ticker:
        """The view, which is what a naive count says."""
        view = self.ticker.view(OIL, None, None)
        assert view == naive(self.trades, self.minute_s)
        return view


pauses_s = st.integers(0, 90) | st.integers(0, 5000) | st.integers(DAY_S - 130, DAY_S + 130)
steps = st.tuples(pauses_s, st.integers(1, 9), st.integers(1, 100), st.booleans(), st.booleans())


@settings(deadline=None)
@given(st.lists(steps, max_size=40))
def test_any_trades_under_any_clock_equal_a_naive_count(
    history: list[tuple[int, int, int, bool, bool]],
) -> None:
    recorder, time_s = Recorder(), START_S
    for pause_s, ticks, lots, is_traded, is_restored in history:
        time_s += pause_s
        if is_traded:
            recorder.trade(time_s, ticks, lots)
        else:
            recorder.strike(time_s)
        if is_restored:
            recorder.ticker = SymbolTicker.restored(recorder.ticker.state(OIL))
        recorder.check()


def test_figures_that_nobody_asks_for_between_are_right_all_the_same() -> None:
    recorder, random, time_s = Recorder(), Random(1), START_S
    for number in range(20_000):
        time_s += random.choice((0, 1, 20, 61))
        recorder.trade(time_s, random.randint(1, 500), random.randint(1, 9))
        if number % 997 == 0:
            recorder.check()
    assert recorder.check().count < 20_000


def test_before_the_first_trade_there_is_nothing_to_tell() -> None:
    view = Recorder().check()
    assert (view.last_ticks, view.open_ticks, view.high_ticks, view.low_ticks) == (None,) * 4
    assert (view.lots, view.cost, view.count, view.first_trade_id) == (0, 0, 0, None)


def test_a_trade_counts_for_1440_whole_minutes_after_its_own() -> None:
    recorder = Recorder()
    recorder.trade(START_S + 59, 7, 3)
    recorder.strike(START_S + DAY_S + 59)
    assert recorder.check().lots == 3
    recorder.strike(START_S + DAY_S + 60)
    assert recorder.check().lots == 0


def test_the_last_price_outlives_its_trade() -> None:
    recorder = Recorder()
    recorder.trade(START_S, 7)
    recorder.strike(START_S + 3 * DAY_S)
    view = recorder.check()
    assert (view.last_ticks, view.open_ticks, view.high_ticks) == (7, None, None)
    assert (view.count, view.last_trade_id) == (0, None)


def test_the_highest_price_is_forgotten_with_its_minute() -> None:
    recorder = Recorder()
    for minute, ticks in enumerate((9, 1, 5, 4)):
        recorder.trade(START_S + 60 * minute, ticks)
    assert (recorder.check().high_ticks, recorder.check().low_ticks) == (9, 1)
    recorder.strike(START_S + DAY_S + 60)
    assert (recorder.check().high_ticks, recorder.check().low_ticks) == (5, 1)
    recorder.strike(START_S + DAY_S + 120)
    assert (recorder.check().high_ticks, recorder.check().low_ticks) == (5, 4)


def test_no_more_is_kept_than_a_day_has_minutes() -> None:
    recorder = Recorder()
    for minute in range(2000):
        recorder.trade(START_S + 60 * minute, 5)
        assert len(recorder.ticker.state(OIL).minutes) <= 1441
    assert len(recorder.ticker.state(OIL).minutes) == 1441


def test_the_figures_of_a_journal_equal_those_of_its_trades() -> None:
    projections, trades, minute_s = Projections(), [], 0
    for commit in journal(seed=3, count=2500):
        projections.apply(commit)
        for event in commit.events:
            if isinstance(event, MinuteBegan):
                minute_s = event.minute_ns // 10**9
            elif isinstance(event, Traded) and event.symbol == OIL:
                trades.append(Trade(minute_s, event.ticks, event.lots))
    view = projections.ticker(OIL)
    assert view.count > 100
    bid, ask = (projections.books[OIL].half(side).levels(1, 1) for side in (Side.BUY, Side.SELL))
    expected = naive(trades, minute_s)
    assert (view.bid, view.ask) == (bid[0] if bid else None, ask[0] if ask else None)
    for name in set(Ticker.__struct_fields__) - {"bid", "ask"}:
        assert getattr(view, name) == getattr(expected, name), name


@pytest.mark.parametrize("seed", [1, 2])
def test_the_best_bid_and_ask_are_the_engines(seed: int) -> None:
    for exchange, projections, _ in follow(seed, 1000):
        for symbol, book in exchange.books.items():
            view = projections.ticker(symbol)
            for side, best in ((Side.BUY, view.bid), (Side.SELL, view.ask)):
                level = book.half(side).best()
                expected = level and Level(level.ticks, level.lots, len(level.orders))
                assert best == expected, f"{side} of {symbol}"


def test_an_instrument_is_told_from_its_listing_on() -> None:
    projections, oil = Projections(), instruments()[0]
    projections.apply(Commit(1, START_S * 10**9, (MinuteBegan(START_S * 10**9),)))
    events = (
        InstrumentListed(oil),
        AccountOpened("ann"),
        Deposited("ann", "USD", 100, "r"),
        OrderPlaced(1, "ann", OIL, Side.BUY, OrderType.LIMIT, 3, 5),
    )
    projections.apply(Commit(2, START_S * 10**9, events))
    view = projections.ticker(OIL)
    assert (view.bid, view.ask, view.open_s) == (Level(5, 3, 1), None, START_S - DAY_S)
