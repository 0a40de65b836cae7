"""Payloads told one after the other are, byte for byte, each of them told alone."""

import gc
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.events import Traded
from jayx_stream.model.order import Side
from jayx_stream.model.views import Kline, KlineChange, Level, Orderbook
from jayx_stream.projections.trades import SymbolTrades
from jayx_stream.wire.channels import PUSHED_TRADES, KlineChannel, OrderbookChannel
from jayx_stream.wire.delta import book_changes, book_checksum
from jayx_stream.wire.messages import encode_payload
from jayx_stream.wire.payloads import Payloads
from tests.projections.changing import ChangingBook, Step, steps
from tests.projections.following import follow

CHANNELS = [
    OrderbookChannel("BTCUSDT", precise, depth, delta)
    for precise in (1, 10, 100)
    for depth in (5, 10, 20, 50)
    for delta in (False, True)
]

Turn = tuple[list[Step], list[tuple[Side, int, int]], list[OrderbookChannel]]
"""Changes, trades by side, lots and ticks, and then whose turn it is to push."""

turns = st.lists(
    st.tuples(
        st.lists(steps(300), max_size=6),
        st.lists(
            st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(1, 300)), max_size=3
        ),
        st.lists(st.sampled_from(CHANNELS), max_size=4),
    ),
    max_size=10,
)


class Venue:
    """A symbol's book and trades, told to channels."""

    def __init__(self) -> None:
        self.changing = ChangingBook()
        self.trades = SymbolTrades()
        self.payloads = Payloads()
        for ticks in range(1, 300, 2):
            self.changing.do((True, 0, Side.BUY if ticks < 150 else Side.SELL, ticks, 3))
        for lots in range(1, PUSHED_TRADES - 3):
            self.trade(Side.SELL, lots, 150)

    def trade(self, side: Side, lots: int, ticks: int) -> None:
        """One more trade."""
        self.trades.add(traded(self.trades.last_id + 1, side, lots, ticks), 10**18)

    def view(self, channel: OrderbookChannel) -> Orderbook:
        """As projections give it."""
        return Orderbook(
            self.changing.book.asks.levels(channel.precise, channel.depth),
            self.changing.book.bids.levels(channel.precise, channel.depth),
            self.trades.last(PUSHED_TRADES),
            self.trades.last_id,
        )

    def naive(self, channel: OrderbookChannel) -> Orderbook:
        """The same, all of new objects."""
        asks, bids = (
            self.changing.naive(side, channel.precise, channel.depth)
            for side in (Side.SELL, Side.BUY)
        )
        return Orderbook(asks, bids, self.trades.last(PUSHED_TRADES), self.trades.last_id)


def traded(trade_id: int, side: Side, lots: int, ticks: int) -> Traded:
    return Traded(
        trade_id=trade_id,
        symbol="BTCUSDT",
        side=side,
        lots=lots,
        ticks=ticks,
        maker_order_id=1,
        taker_order_id=2,
        maker_fee_units=0,
        taker_fee_units=0,
    )


@given(turns)
def test_what_is_kept_makes_no_other_bytes(turns: list[Turn]) -> None:
    venue = Venue()
    for changes, trades, channels in turns:
        for step in changes:
            venue.changing.do(step)
        for trade in trades:
            venue.trade(*trade)
        for channel in channels:
            told = venue.payloads.encode(channel, venue.view(channel), {})
            assert told == encode_payload(venue.naive(channel), {})


def test_the_same_of_a_crowds_book() -> None:
    payloads, channels = Payloads(), [each for each in CHANNELS if each.precise < 100]
    for _, projections, changes in follow(5, 800):
        for symbol in changes.books:
            for channel in channels:
                view = projections.orderbook(symbol, channel.precise, channel.depth, PUSHED_TRADES)
                assert payloads.encode(channel, view, {}) == encode_payload(view, {})


@pytest.mark.parametrize("at_once", [1, 2, PUSHED_TRADES - 1, PUSHED_TRADES, 3 * PUSHED_TRADES])
def test_trades_come_before_those_that_were_told(at_once: int) -> None:
    channel, payloads, trades = CHANNELS[0], Payloads(), SymbolTrades()
    for _ in range(2 * PUSHED_TRADES):
        for _ in range(at_once):
            id = trades.last_id + 1
            trades.add(traded(id, Side.BUY, id, 7), id * 10**6)
        view = Orderbook((), (), trades.last(PUSHED_TRADES), trades.last_id)
        assert payloads.encode(channel, view, {}) == encode_payload(view, {})


def test_a_state_told_after_a_later_one_is_itself() -> None:
    venue, channel = Venue(), CHANNELS[0]
    earlier = venue.view(channel)
    venue.trade(Side.BUY, 1, 150)
    venue.changing.do((True, 0, Side.BUY, 149, 7))
    for view in (earlier, venue.view(channel), earlier):
        assert venue.payloads.encode(channel, view, {}) == encode_payload(view, {})


@pytest.mark.parametrize("channel", [CHANNELS[0], KlineChannel("BTCUSDT", 60)])
def test_what_is_no_book_is_told_as_ever(channel: OrderbookChannel | KlineChannel) -> None:
    change = KlineChange(None, Kline("BTCUSDT", 60, 0, 1, 2, 3, 4, 5, 6))
    assert Payloads().encode(channel, change, {}) == encode_payload(change, {})


def test_nothing_is_kept_of_a_stream_that_is_gone() -> None:
    venue, channel = Venue(), OrderbookChannel("BTCUSDT", 1, 20)
    venue.payloads.encode(channel, venue.view(channel), {})
    assert len(venue.payloads) == 1
    del channel
    gc.collect()
    assert len(venue.payloads) == 0


# Changes and checksums.


def naive_changes(before: tuple[Level, ...], after: tuple[Level, ...]) -> set[Level]:
    """What is not in the one is told as it is, what is not in the other as gone."""
    gone = {level.ticks for level in before} - {level.ticks for level in after}
    return set(after) - set(before) | {Level(ticks, 0, 0) for ticks in gone}


@given(turns)
def test_changes_and_checksums_are_those_of_books_compared_level_by_level(
    turns: list[Turn],
) -> None:
    venue = Venue()
    held: dict[OrderbookChannel, tuple[Orderbook, Orderbook]] = {}
    for changes, trades, channels in turns:
        for step in changes:
            venue.changing.do(step)
        for trade in trades:
            venue.trade(*trade)
        for channel in channels:
            after, naive = venue.view(channel), venue.naive(channel)
            before, naive_before = held.get(channel, (after, naive))
            changed = book_changes(before, after)
            assert set(changed.asks) == naive_changes(naive_before.asks, naive.asks)
            assert set(changed.bids) == naive_changes(naive_before.bids, naive.bids)
            assert list(changed.asks) == sorted(changed.asks, key=lambda level: level.ticks)
            assert list(changed.bids) == sorted(changed.bids, key=lambda level: -level.ticks)
            assert book_changes(naive_before, naive) == changed
            best = (*naive.bids[:10], *naive.asks[:10])
            text = "|".join(f"{level.ticks}:{level.lots}" for level in best)
            assert book_checksum(after) == crc32(text.encode())
            held[channel] = after, naive
