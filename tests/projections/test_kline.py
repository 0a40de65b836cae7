"""Klines equal a naive fold of the trades in their buckets, whatever the clock did in between."""

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jayx_stream.model.events import Commit, MinuteBegan, Traded
from jayx_stream.model.views import INTERVALS_S, WEEK_S, Kline, bucket_start_s
from jayx_stream.projections import Projections
from jayx_stream.projections.kline import CLOSED_KLINES_MAX, SymbolKlines
from tests.projections.following import journal

SYMBOL = "OILUSD"
START_S = 1716131580
"""Of the kline in the user's document; a whole minute, a Sunday."""

DAY_S = 86400


class Trade(NamedTuple):
    """A trade as far as klines look at it."""

    time_s: int
    ticks: int
    lots: int


def naive(interval_s: int, trades: list[Trade], now_s: int) -> list[Kline]:
    """Every kline from the first trade's to that of now, folded from all trades in it."""
    inside = defaultdict(list)
    for trade in trades:
        inside[bucket_start_s(trade.time_s, interval_s)].append(trade)
    klines: list[Kline] = []
    for created_s in range(min(inside), now_s + 1, interval_s):
        if bucket := inside.get(created_s):
            prices = [trade.ticks for trade in bucket]
            lots = sum(trade.lots for trade in bucket)
            span = (prices[0], max(prices), min(prices), prices[-1])
            klines.append(Kline(SYMBOL, interval_s, created_s, *span, lots, bucket[-1].time_s))
        else:
            klines.append(flat(interval_s, created_s, klines[-1].close_ticks))
    return klines


def flat(interval_s: int, created_s: int, ticks: int) -> Kline:
    """A kline that nobody traded in."""
    return Kline(SYMBOL, interval_s, created_s, ticks, ticks, ticks, ticks, 0, created_s)


class Recorder:
    """Klines under a clock that strikes minutes as the exchange's does."""

    def __init__(self, first: Trade) -> None:
        self.klines = SymbolKlines(SYMBOL, first.time_s, first.ticks)
        self.minute_s = first.time_s - first.time_s % 60
        self.trades: list[Trade] = []
        self.opened: dict[int, list[Kline]] = {interval_s: [] for interval_s in INTERVALS_S}
        self.closed: dict[int, Kline] = {}
        """By interval, the last that a turn told."""
        self.trade(first)

    def trade(self, trade: Trade) -> None:
        """One trade; its minute begins before it."""
        self.strike(trade.time_s)
        self.klines.trade(trade.ticks, trade.lots, trade.time_s)
        self.trades.append(trade)

    def strike(self, time_s: int) -> None:
        """The minute of `time_s` begins, if it has not yet."""
        if time_s >= self.minute_s + 60:
            self.minute_s = time_s - time_s % 60
            for interval_s, turn in self.klines.begin_minute(self.minute_s):
                self.opened[interval_s] += turn.opened
                self.closed[interval_s] = turn.closed

    def all(self, interval_s: int) -> list[Kline]:
        """What closed, as far as it is kept, and the current one."""
        closed = self.klines.closed(interval_s, CLOSED_KLINES_MAX)
        return [*closed, self.klines.current(interval_s)]


pauses_s = st.integers(0, 90) | st.integers(0, 5000) | st.integers(0, 2 * DAY_S)
histories = st.lists(
    st.tuples(pauses_s, st.integers(1, 9), st.integers(1, 100), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(histories)
def test_each_kline_of_each_interval_equals_a_naive_fold(
    history: list[tuple[int, int, int, bool]],
) -> None:
    recorder = Recorder(Trade(START_S, 5, 1))
    time_s = START_S
    for pause_s, ticks, lots, clock_runs in history:
        if clock_runs:
            for minute_s in range(time_s, time_s + min(pause_s, 7200), 60):
                recorder.strike(minute_s)
        time_s += pause_s
        recorder.trade(Trade(time_s, ticks, lots))
    for interval_s in INTERVALS_S:
        expected = naive(interval_s, recorder.trades, time_s)
        assert recorder.all(interval_s) == expected[-CLOSED_KLINES_MAX - 1 :]


@given(st.lists(st.tuples(st.integers(0, 1400), st.integers(1, 100)), max_size=40))
def test_volumes_of_each_interval_add_up_to_all_that_was_traded(
    history: list[tuple[int, int]],
) -> None:
    recorder = Recorder(Trade(START_S, 5, 1))
    time_s = START_S
    for pause_s, lots in history:
        time_s += pause_s
        recorder.trade(Trade(time_s, 5, lots))
    total_lots = 1 + sum(lots for _, lots in history)
    for interval_s in INTERVALS_S:
        assert sum(kline.lots for kline in recorder.all(interval_s)) == total_lots


@settings(deadline=None, max_examples=30)
@given(histories)
def test_each_kline_opens_once_and_flat_at_the_close_before(
    history: list[tuple[int, int, int, bool]],
) -> None:
    recorder = Recorder(Trade(START_S, 5, 1))
    time_s = START_S
    for pause_s, ticks, lots, _ in history:
        time_s += pause_s % DAY_S // 2
        recorder.trade(Trade(time_s, ticks, lots))
    for interval_s in INTERVALS_S:
        klines = naive(interval_s, recorder.trades, time_s)
        assert recorder.opened[interval_s] == [
            flat(interval_s, kline.created_s, before.close_ticks)
            for before, kline in pairwise(klines)
        ]


def test_the_first_trade_sets_open_high_low_and_close() -> None:
    recorder = Recorder(Trade(START_S + 7, 5, 2))
    for interval_s in INTERVALS_S:
        kline = recorder.klines.current(interval_s)
        assert (kline.open_ticks, kline.high_ticks, kline.low_ticks, kline.close_ticks) == (5,) * 4
        assert (kline.lots, kline.modified_s) == (2, START_S + 7)


def test_the_first_trade_of_a_new_minute_sets_its_open_anew() -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    recorder.trade(Trade(START_S + 60, 9, 1))
    assert recorder.klines.current(60) == Kline(
        SYMBOL, 60, START_S + 60, 9, 9, 9, 9, 1, START_S + 60
    )
    assert recorder.klines.current(300).low_ticks == 5


def test_a_kline_opens_with_its_minute_not_with_its_first_trade() -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    recorder.strike(START_S + 59)
    assert recorder.opened[60] == []
    recorder.strike(START_S + 60)
    assert recorder.opened[60] == [flat(60, START_S + 60, 5)]
    assert recorder.klines.current(60) == flat(60, START_S + 60, 5)
    assert recorder.opened[300] == []


@pytest.mark.parametrize("time_s", [START_S, START_S + DAY_S, 0, 4 * DAY_S - 1, 4 * DAY_S])
def test_weeks_begin_on_monday(time_s: int) -> None:
    begin = datetime.fromtimestamp(bucket_start_s(time_s, WEEK_S), UTC)
    assert (begin.weekday(), begin.hour, begin.minute, begin.second) == (0, 0, 0, 0)
    assert 0 <= time_s - begin.timestamp() < WEEK_S


def test_a_week_opens_on_monday_at_midnight() -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    monday_s = 1716163200
    recorder.strike(monday_s - 1)
    assert recorder.opened[WEEK_S] == []
    recorder.strike(monday_s)
    assert recorder.opened[WEEK_S] == [flat(WEEK_S, monday_s, 5)]


@pytest.mark.parametrize("interval_s", INTERVALS_S[:-1])
def test_all_intervals_but_the_week_are_aligned_to_the_epoch(interval_s: int) -> None:
    assert bucket_start_s(START_S, interval_s) == START_S // interval_s * interval_s


@pytest.mark.parametrize("minutes", [999, 1000, 1001, 1002, 5 * 1440])
def test_after_a_pause_of_days_the_last_thousand_klines_are_flat(minutes: int) -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    now_s = START_S + minutes * 60
    recorder.strike(now_s)
    opened = recorder.opened[60]
    flats = [flat(60, now_s - back * 60, 5) for back in reversed(range(minutes))]
    assert opened == flats[-CLOSED_KLINES_MAX - 1 :]
    assert recorder.all(60) == naive(60, recorder.trades, now_s)[-CLOSED_KLINES_MAX - 1 :]


@pytest.mark.parametrize("minutes", [1, 2, 999, 1000, 1001, 5 * 1440])
def test_a_turn_tells_the_kline_that_closed(minutes: int) -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    recorder.strike(START_S + minutes * 60)
    assert recorder.closed[60] == Kline(SYMBOL, 60, START_S, 5, 5, 5, 5, 2, START_S)


def test_no_closed_klines_are_given_when_none_are_asked_for() -> None:
    recorder = Recorder(Trade(START_S, 5, 2))
    recorder.strike(START_S + 600)
    assert recorder.klines.closed(60, 0) == []
    assert [kline.created_s for kline in recorder.klines.closed(60, 2)] == [
        START_S + 480,
        START_S + 540,
    ]


def test_klines_of_a_journal_equal_the_fold_of_its_trades() -> None:
    projections, trades = Projections(), []
    commits = journal(seed=3, count=2500)
    for commit in commits:
        changes = projections.apply(commit)
        traded = [event for event in commit.events if isinstance(event, Traded)]
        assert changes.klines == {event.symbol for event in traded}
        assert bool(changes.turns) <= any(isinstance(each, MinuteBegan) for each in commit.events)
        trades += [_trade(commit, event) for event in traded if event.symbol == SYMBOL]
    for interval_s in INTERVALS_S:
        expected = naive(interval_s, trades, commits[-1].time_ns // 10**9)
        closed = projections.klines[SYMBOL].closed(interval_s, CLOSED_KLINES_MAX)
        assert [*closed, projections.klines[SYMBOL].current(interval_s)] == expected


def _trade(commit: Commit, event: Traded) -> Trade:
    return Trade(commit.time_ns // 10**9, event.ticks, event.lots)
