"""A book told by its changes: who takes them in holds the book (protocol §5)."""

from collections.abc import Sequence
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from jayx_stream.client.book import BookReplica
from jayx_stream.model.order import Side
from jayx_stream.model.views import Level, Orderbook, PublicTrade
from jayx_stream.wire.delta import book_changes, book_checksum, change
from jayx_stream.wire.messages import BookPayload, OrderbookPush, encode
from jayx_stream.wire.push import Encoding, Push

ENVELOPED = Encoding(bytes, envelope=True)


def book(
    asks: Sequence[tuple[int, int]] = (), bids: Sequence[tuple[int, int]] = (), trades: int = 0
) -> Orderbook:
    """Levels of one order each as (ticks, lots), best first; the trade of id N is N lots."""
    return Orderbook(
        asks=tuple(Level(*each, 1) for each in asks),
        bids=tuple(Level(*each, 1) for each in bids),
        trades=tuple(PublicTrade(id, 100, Side.BUY, 0) for id in range(trades, 0, -1)[:50]),
        trade_id=trades,
    )


def whole(state: Orderbook, seq: int) -> Push:
    payload = encode(OrderbookPush(BookPayload(state.asks, state.bids), state.trades))
    checksum = book_checksum(state)
    return Push(
        "orderbook",
        "book",
        seq,
        0,
        payload,
        merge_key="book",
        trade=state.trade_id,
        state=state,
        checksum=checksum,
    )


def told(before: Orderbook, after: Orderbook) -> dict[str, list[tuple[int, int]]]:
    changed = book_changes(before, after)
    return {
        "asks": [(level.ticks, level.lots) for level in changed.asks],
        "bids": [(level.ticks, level.lots) for level in changed.bids],
    }


def test_only_levels_that_changed_are_told_and_those_that_are_gone_with_no_lots() -> None:
    before = book(asks=[(101, 5), (102, 6), (104, 7)], bids=[(99, 1), (97, 2)])
    after = book(asks=[(102, 6), (103, 9), (104, 8)], bids=[(99, 1), (98, 4)])
    assert told(before, after) == {
        "asks": [(101, 0), (103, 9), (104, 8)],
        "bids": [(98, 4), (97, 0)],
    }


def test_a_level_whose_orders_changed_but_not_its_lots_is_told() -> None:
    before = Orderbook((Level(5, 10, 1),), (), (), 0)
    after = Orderbook((Level(5, 10, 2),), (), (), 0)
    assert book_changes(before, after).asks == (Level(5, 10, 2),)


def test_a_level_that_leaves_the_depth_is_told_as_gone_and_comes_back_whole() -> None:
    before, after = book(bids=[(9, 1), (8, 2)]), book(bids=[(10, 3), (9, 1)])
    assert told(before, after)["bids"] == [(10, 3), (8, 0)]
    assert told(after, before)["bids"] == [(10, 0), (8, 2)]


def test_a_price_that_changes_sides_is_told_on_both() -> None:
    assert told(book(asks=[(100, 1)]), book(bids=[(100, 2)])) == {
        "asks": [(100, 0)],
        "bids": [(100, 2)],
    }


def test_only_trades_that_were_not_told_are() -> None:
    changed = book_changes(book(trades=3), book(trades=5))
    assert [trade.lots for trade in changed.trades] == [5, 4]
    assert book_changes(book(trades=5), book(trades=5)).trades == ()


def test_of_more_than_fifty_trades_between_two_pushes_the_last_fifty_are_told() -> None:
    changed = book_changes(book(trades=3), book(trades=80))
    assert [trade.lots for trade in changed.trades] == list(range(80, 30, -1))


def test_the_checksum_is_of_ten_bids_and_then_ten_asks() -> None:
    bids, asks = [(100 - n, n + 1) for n in range(12)], [(101 + n, n + 2) for n in range(12)]
    text = "|".join(f"{ticks}:{lots}" for ticks, lots in bids[:10] + asks[:10])
    assert book_checksum(book(asks, bids)) == crc32(text.encode())
    assert book_checksum(book(asks[:1])) == crc32(b"101:2")
    assert book_checksum(book()) == 0


def test_a_checksum_known_elsewhere() -> None:
    assert book_checksum(book(asks=[(101, 2)], bids=[(100, 1)])) == crc32(b"100:1|101:2")
    assert crc32(b"123456789") == 0xCBF43926, "IEEE's polynomial"


def test_nothing_is_told_of_a_state_that_is_the_same() -> None:
    before, after = whole(book(asks=[(1, 1)]), 1), whole(book(asks=[(1, 1)]), 2)
    assert change(before, after, lambda: after) is None


def test_a_change_says_what_it_follows_on_and_what_comes_of_it() -> None:
    before, after = whole(book(asks=[(2, 1)]), 7), whole(book(bids=[(1, 1)], trades=1), 9)
    changed = change(before, after, lambda: after)
    assert changed is not None
    message = json.decode(changed.frame(ENVELOPED))
    del message["ts"], message["stream"], message["event"]
    assert message == {
        "message": {
            "orderBook": {
                "asks": [{"ticks": 2, "lots": 0, "count": 0}],
                "bids": [{"ticks": 1, "lots": 1, "count": 1}],
            },
            "trades": [{"lots": 1, "ticks": 100, "side": "BUY", "created": 0}],
        },
        "seq": 9,
        "trade": 1,
        "prev": 7,
        "checksum": crc32(b"1:1"),
    }


def test_a_slow_reader_is_given_the_newest_whole_in_place_of_changes() -> None:
    before, after, newest = (whole(book(asks=[(seq, 1)]), seq) for seq in (1, 2, 3))
    changed = change(before, after, lambda: newest)
    assert changed is not None
    message = json.decode(changed.frame(ENVELOPED, merged=4))
    assert (message["seq"], message["merged"], "prev" in message) == (3, 4, False)
    assert message["checksum"] == newest.checksum


def test_what_stands_for_changes_is_the_newest_whole_whenever_it_is_asked_for() -> None:
    before, *wholes = (whole(book(asks=[(seq, 1)]), seq) for seq in (1, 2, 3))
    held = iter(wholes)
    changed = change(before, wholes[0], lambda: next(held))
    assert changed is not None
    told = [json.decode(changed.frame(ENVELOPED, merged=4))["seq"] for _ in wholes]
    assert told == [2, 3]


def never() -> Push:
    raise AssertionError("nobody is slow here")


levels = st.dictionaries(st.integers(1, 30), st.integers(1, 9), max_size=15)
states = st.lists(st.tuples(levels, levels, st.integers(0, 60)), min_size=1, max_size=12)


@given(states, st.sampled_from((1, 3, 10, 50)))
def test_who_takes_all_changes_in_holds_the_book_after_each(
    told: list[tuple[dict[int, int], dict[int, int], int]], depth: int
) -> None:
    replica, held, trades = BookReplica(), None, 0
    for seq, (asks, bids, more_trades) in enumerate(told, start=1):
        trades += more_trades
        after = whole(
            book(sorted(asks.items())[:depth], sorted(bids.items(), reverse=True)[:depth], trades),
            seq,
        )
        push = after if held is None else change(held, after, never)
        if push is not None:
            held = after
            assert replica.apply_text(push.frame(ENVELOPED))
            assert replica.seq == seq
        assert replica.view == after.state


def test_a_whole_state_that_nobody_is_told_is_never_encoded() -> None:
    asked: list[int] = []

    def payload() -> bytes:
        asked.append(1)
        return b"{}"

    before = Orderbook((Level(5, 10, 1),), (), (), 0)
    after = Orderbook((Level(5, 10, 2),), (), (), 0)
    whole = Push("orderbook", "b", 2, 0, payload, state=before)
    encoding = Encoding(bytes, envelope=False)
    change(whole, Push("orderbook", "b", 3, 0, payload, state=after), lambda: whole)
    assert not asked
    assert [whole.frame(encoding), whole.frame(encoding)] == [b"{}", b"{}"]
    assert asked == [1]
