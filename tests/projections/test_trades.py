"""The last public trades, newest first."""

from jayx_stream.model.events import Traded
from jayx_stream.model.order import Side
from jayx_stream.model.views import PublicTrade
from jayx_stream.projections import Projections
from jayx_stream.projections.trades import TRADES_MAX, SymbolTrades
from tests.projections.following import journal


def traded(trade_id: int, lots: int = 1) -> Traded:
    """A sell at 101 ticks."""
    return Traded(trade_id, "OILUSD", Side.SELL, lots, 101, 1, 2, 0, 0)


def test_before_the_first_trade_there_is_none_and_its_id_is_zero() -> None:
    trades = SymbolTrades()
    assert (trades.last_id, trades.last(50)) == (0, ())


def test_a_trade_is_seen_with_the_takers_side_in_milliseconds() -> None:
    trades = SymbolTrades()
    trades.add(traded(1, lots=7), 1_716_131_619_042_999_999)
    assert trades.last(50) == (PublicTrade(7, 101, Side.SELL, 1_716_131_619_042),)


def test_the_newest_trade_comes_first() -> None:
    trades = SymbolTrades()
    for trade_id in (1, 2, 3):
        trades.add(traded(trade_id, lots=trade_id), 0)
    assert [trade.lots for trade in trades.last(2)] == [3, 2]
    assert trades.last(0) == ()
    assert trades.last_id == 3


def test_no_more_than_the_last_thousand_are_kept() -> None:
    trades = SymbolTrades()
    for trade_id in range(1, TRADES_MAX + 11):
        trades.add(traded(trade_id, lots=trade_id), 0)
    assert len(trades.last(2 * TRADES_MAX)) == TRADES_MAX
    assert trades.last(2 * TRADES_MAX)[-1].lots == 11


def test_trades_of_a_crowd_are_those_of_its_journal_with_consecutive_ids() -> None:
    projections, happened = Projections(), []
    for commit in journal(seed=7, count=1500):
        projections.apply(commit)
        happened += [
            (commit.time_ns, event)
            for event in commit.events
            if isinstance(event, Traded) and event.symbol == "OILUSD"
        ]
    assert [event.trade_id for _, event in happened] == list(range(1, len(happened) + 1))
    assert projections.trades["OILUSD"].last_id == len(happened)
    assert projections.trades["OILUSD"].last(TRADES_MAX) == tuple(
        PublicTrade(event.lots, event.ticks, event.side, time_ns // 1_000_000)
        for time_ns, event in reversed(happened)
    )
