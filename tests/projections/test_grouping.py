"""What was told of a book is grouped again only where it changed: exact after any changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.order import Side
from jayx_stream.model.views import Level
from jayx_stream.projections.orderbook import TOUCHED_MAX, UNASKED_MAX, BookHalf, SymbolBook
from tests.projections.changing import ChangingBook, Step, steps

WIDTHS = (1, 3, 10, 100)
DEPTHS = (1, 2, 5, 20, 1000)

Asked = tuple[list[Step], list[tuple[int, int]]]
"""Changes, and then who asks: widths and depths."""


def asked(ticks_max: int) -> st.SearchStrategy[list[Asked]]:
    """Changes and questions in turn."""
    questions = st.tuples(st.sampled_from(WIDTHS), st.sampled_from(DEPTHS))
    turn = st.tuples(
        st.lists(steps(ticks_max), max_size=12), st.lists(questions, min_size=1, max_size=3)
    )
    return st.lists(turn, max_size=12)


def full(count: int) -> SymbolBook:
    """Both halves with an order of one lot at each of `count` prices."""
    book = SymbolBook()
    for age in range(count):
        book.bids.add(10_000 - age, 1)
        book.asks.add(10_001 + age, 1)
    return book


def check(changing: ChangingBook, turns: list[Asked]) -> None:
    """Every answer is what counting gives."""
    for changes, questions in turns:
        for step in changes:
            changing.do(step)
        for precise, depth in questions:
            for side in Side:
                told = changing.book.half(side).levels(precise, depth)
                assert told == changing.naive(side, precise, depth)


@given(asked(200))
def test_any_question_after_any_changes_is_answered_as_by_counting(turns: list[Asked]) -> None:
    changing = ChangingBook()
    for ticks in range(1, 200, 2):
        for side in Side:
            changing.do((True, 0, side, ticks, 3))
    check(changing, turns)


@given(asked(10**6))
def test_the_same_of_a_book_with_few_orders_far_apart(turns: list[Asked]) -> None:
    check(ChangingBook(), turns)


@pytest.mark.parametrize("precise", [1, 10])
def test_a_half_that_did_not_change_is_the_same_tuple(precise: int) -> None:
    book = full(200)
    bids, asks = book.bids.levels(precise, 20), book.asks.levels(precise, 20)
    book.bids.add(9_999, 1)
    assert book.asks.levels(precise, 20) is asks
    assert book.bids.levels(precise, 20) is not bids


@pytest.mark.parametrize("precise", [1, 10])
def test_a_level_that_did_not_change_is_the_same_object(precise: int) -> None:
    bids = full(500).bids
    before = bids.levels(precise, 50)
    bids.add(9_990, 5)
    bids.reduce(9_980, 1, gone=True)
    after = bids.levels(precise, 50)
    untold = [level.ticks for level in after if all(level is not held for held in before)]
    assert untold == ([9_990, 9_950] if precise == 1 else [9_990, 9_980])


def test_what_changes_and_changes_back_is_the_same_tuple() -> None:
    asks = full(100).asks
    before = asks.levels(1, 50)
    asks.add(10_010, 7)
    asks.reduce(10_010, 7, gone=True)
    asks.add(10_000, 1)
    asks.reduce(10_000, 1, gone=True)
    assert asks.levels(1, 50) is before


def test_an_order_that_moves_within_a_wide_level_changes_nothing() -> None:
    asks = full(500).asks
    before = asks.levels(10, 50)
    asks.reduce(10_013, 1, gone=True)
    asks.add(10_014, 1)
    assert asks.levels(10, 50) is before


def test_a_change_below_the_depth_changes_nothing_above_it() -> None:
    bids = full(100).bids
    shallow, deep = bids.levels(1, 5), bids.levels(1, 50)
    bids.add(9_990, 1)
    assert bids.levels(1, 5) is shallow
    assert bids.levels(1, 50)[10] == Level(9_990, 2, 2)
    bids.add(9_920, 1)
    assert bids.levels(1, 50) == (*deep[:10], Level(9_990, 2, 2), *deep[11:])


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_change_at_any_place_is_told_to_every_depth_that_reaches_it(is_gone: bool) -> None:
    for place in range(30):
        asks = full(100).asks
        before = {depth: asks.levels(1, depth) for depth in range(1, 30)}
        asks.reduce(10_001 + place, 1, gone=True)
        if not is_gone:
            asks.add(10_001 + place, 2)
        for depth, levels in before.items():
            assert (asks.levels(1, depth) is levels) == (depth <= place)


def test_the_levels_below_move_up_when_better_ones_go() -> None:
    bids = full(100).bids
    bids.levels(1, 10)
    for ticks in (10_000, 9_999, 9_991):
        bids.reduce(ticks, 1, gone=True)
    assert [level.ticks for level in bids.levels(1, 10)] == [
        *range(9_998, 9_991, -1),
        *range(9_990, 9_987, -1),
    ]


# Bounds.


def kept(half: BookHalf) -> tuple[int, int]:
    """Groupings that are kept, and prices whose changes wait."""
    return len(half._groupings), len(half._touched)


def test_nothing_is_kept_of_a_half_that_nobody_asks_for() -> None:
    book = full(8 * TOUCHED_MAX)
    assert kept(book.bids) == (0, 0)
    book.bids.levels(100, 1000)
    assert kept(book.bids) == (1, 0)
    for age in range(TOUCHED_MAX):
        book.bids.add(10_000 - age, 1)
        assert kept(book.bids) == (1, age + 1)
    book.bids.add(10_000 - TOUCHED_MAX, 1)
    assert kept(book.bids) == (0, 0)
    assert book.bids.levels(100, 2) == (Level(10_000, 2, 2), Level(9_900, 200, 200))


def test_a_width_that_nobody_asks_for_any_more_is_let_go() -> None:
    bids = full(100).bids
    for precise in (1, 10):
        bids.levels(precise, 10)
    for _ in range(UNASKED_MAX):
        assert kept(bids) == (2, 0)
        bids.add(10_000, 1)
        bids.levels(1, 10)
    bids.add(10_000, 1)
    bids.levels(1, 10)
    assert kept(bids) == (1, 0)
    assert bids.levels(10, 1) == (Level(10_000, UNASKED_MAX + 2, UNASKED_MAX + 2),)


def test_no_more_levels_are_kept_than_were_asked_for() -> None:
    asks = full(100).asks
    asks.levels(1, 20)
    for better in range(50):
        asks.add(10_000 - better, 1)
        assert len(asks.levels(1, 20)) == 20
        assert len(asks._groupings[1]._levels) == 20


def test_changes_deeper_than_anyone_asks_for_do_not_wait() -> None:
    asks = full(100).asks
    asks.levels(1, 20)
    asks.add(10_050, 1)
    assert kept(asks) == (1, 0)
    asks.add(10_020, 1)
    assert kept(asks) == (1, 1)
    bids = full(100).bids
    bids.levels(1, 20)
    bids.add(9_980, 1)
    assert kept(bids) == (1, 0)
    bids.add(9_981, 1)
    assert kept(bids) == (1, 1)
