"""The public book: levels as wide as asked for, asks rounded up and bids down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.order import Side
from jayx_stream.model.views import Level, Orderbook
from jayx_stream.projections.orderbook import SymbolBook
from tests.projections.following import follow

Resting = tuple[Side, int, int]
"""Side, ticks and lots of one order."""

resting = st.tuples(st.sampled_from(Side), st.integers(1, 3000), st.integers(1, 50))


def book_of(*orders: Resting) -> SymbolBook:
    """A book with these orders in it."""
    book = SymbolBook()
    for side, ticks, lots in orders:
        book.half(side).add(ticks, lots)
    return book


def naive(orders: list[Resting], side: Side, precise: int, depth: int) -> tuple[Level, ...]:
    """The levels by counting through all orders for each price."""
    rounded = [
        (-(-ticks // precise) * precise if side is Side.SELL else ticks // precise * precise, lots)
        for order_side, ticks, lots in orders
        if order_side is side
    ]
    prices = sorted({ticks for ticks, _ in rounded}, reverse=side is Side.BUY)
    levels = []
    for price in prices[:depth]:
        here = [lots for ticks, lots in rounded if ticks == price]
        levels.append(Level(price, sum(here), len(here)))
    return tuple(levels)


def test_asks_are_rounded_up_and_bids_down() -> None:
    book = book_of((Side.SELL, 101, 1), (Side.BUY, 99, 2))
    assert book.asks.levels(10, 5) == (Level(110, 1, 1),)
    assert book.bids.levels(10, 5) == (Level(90, 2, 1),)


def test_what_is_a_multiple_already_stays() -> None:
    book = book_of((Side.SELL, 110, 1), (Side.BUY, 90, 2))
    assert book.asks.levels(10, 5) == (Level(110, 1, 1),)
    assert book.bids.levels(10, 5) == (Level(90, 2, 1),)


def test_lots_and_orders_of_a_wider_level_are_summed() -> None:
    book = book_of(
        (Side.SELL, 101, 1), (Side.SELL, 101, 2), (Side.SELL, 109, 4), (Side.SELL, 111, 8)
    )
    assert book.asks.levels(1, 5) == (Level(101, 3, 2), Level(109, 4, 1), Level(111, 8, 1))
    assert book.asks.levels(10, 5) == (Level(110, 7, 3), Level(120, 8, 1))
    assert book.asks.levels(1000, 5) == (Level(1000, 15, 4),)


def test_the_best_level_comes_first_on_both_sides() -> None:
    sides = (Side.SELL, Side.BUY)
    book = book_of(*((side, ticks, 1) for side in sides for ticks in (5, 7, 6)))
    assert [level.ticks for level in book.asks.levels(1, 5)] == [5, 6, 7]
    assert [level.ticks for level in book.bids.levels(1, 5)] == [7, 6, 5]


def test_a_depth_counts_levels_not_prices() -> None:
    book = book_of(*((Side.SELL, ticks, 1) for ticks in range(1, 31)))
    assert [level.ticks for level in book.asks.levels(10, 2)] == [10, 20]
    assert [level.count for level in book.asks.levels(10, 2)] == [10, 10]
    assert [level.ticks for level in book.asks.levels(1, 2)] == [1, 2]


def test_a_bid_below_the_width_is_at_zero() -> None:
    assert book_of((Side.BUY, 7, 1)).bids.levels(10, 5) == (Level(0, 1, 1),)


def test_a_filled_part_leaves_the_order_and_its_end_takes_the_level_away() -> None:
    half = book_of((Side.SELL, 101, 5), (Side.SELL, 102, 1)).asks
    half.reduce(101, 3, gone=False)
    assert half.levels(1, 5) == (Level(101, 2, 1), Level(102, 1, 1))
    half.reduce(101, 2, gone=True)
    assert half.levels(1, 5) == (Level(102, 1, 1),)


@given(st.lists(resting, max_size=40), st.data())
def test_any_book_equals_a_naive_grouping(orders: list[Resting], data: st.DataObject) -> None:
    book = book_of(*orders)
    gone = data.draw(st.sets(st.sampled_from(range(len(orders))))) if orders else set()
    for number in gone:
        side, ticks, lots = orders[number]
        book.half(side).reduce(ticks, lots, gone=True)
    left = [order for number, order in enumerate(orders) if number not in gone]
    depth = data.draw(st.sampled_from((1, 5, 50)))
    for precise in (1, 10, 100, 1000, 1_000_000):
        for side in Side:
            assert book.half(side).levels(precise, depth) == naive(left, side, precise, depth)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_crowds_book_is_the_engines(seed: int) -> None:
    for exchange, projections, changes in follow(seed, 1500):
        for symbol, book in exchange.books.items():
            for side in Side:
                levels = tuple(
                    Level(level.ticks, level.lots, len(level.orders))
                    for level in book.half(side).levels()
                )
                assert projections.books[symbol].half(side).levels(1, 1000) == levels
        assert changes.books <= set(exchange.books)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_book_that_is_not_told_of_has_not_changed(seed: int) -> None:
    before: dict[str, Orderbook] = {}
    for _, projections, changes in follow(seed, 1500):
        for symbol in projections.books:
            now = projections.orderbook(symbol, 1, 1000, 50)
            assert symbol in changes.books or before.get(symbol, now) == now
            before[symbol] = now
