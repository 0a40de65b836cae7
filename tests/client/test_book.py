"""A replica is the server's book, or nothing."""

from typing import Any

import pytest
from msgspec import json

from jayx_stream.client.book import BookGap, BookReplica
from jayx_stream.model.views import Level
from jayx_stream.wire.delta import change
from tests.wire.test_delta import ENVELOPED, book, whole

FIRST = whole(book(asks=[(101, 1), (102, 2)], bids=[(99, 3)], trades=2), 5)
SECOND = whole(book(asks=[(102, 2)], bids=[(100, 1), (99, 3)], trades=3), 8)
THIRD = whole(book(asks=[(102, 7)], bids=[(100, 1)], trades=3), 9)


def told(*, after: Any, before: Any = None) -> dict[str, Any]:
    """A push as it comes."""
    push = after if before is None else change(before, after, lambda: after)
    assert push is not None
    message: dict[str, Any] = json.decode(push.frame(ENVELOPED))
    return message


def apply(replica: BookReplica, message: dict[str, Any]) -> bool:
    return replica.apply_text(json.encode(message))


def test_it_holds_nothing_before_the_first_whole_state() -> None:
    replica = BookReplica()
    assert not apply(replica, told(before=FIRST, after=SECOND))
    assert replica.view is None


def test_a_whole_state_replaces_what_is_held() -> None:
    replica = BookReplica()
    assert apply(replica, told(after=FIRST))
    assert apply(replica, told(after=THIRD))
    assert (replica.view, replica.seq) == (THIRD.state, 9)


def test_a_change_leads_from_one_state_to_the_next() -> None:
    replica = BookReplica()
    apply(replica, told(after=FIRST))
    assert apply(replica, told(before=FIRST, after=SECOND))
    assert apply(replica, told(before=SECOND, after=THIRD))
    assert replica.view == THIRD.state


def test_a_change_that_is_missing_is_noticed_once_and_healed_by_a_whole_state() -> None:
    replica = BookReplica()
    apply(replica, told(after=FIRST))
    with pytest.raises(BookGap, match="a change after 8 came, the last was 5"):
        apply(replica, told(before=SECOND, after=THIRD))
    assert replica.view is None
    assert not apply(replica, told(before=FIRST, after=SECOND))
    assert apply(replica, told(after=SECOND))
    assert apply(replica, told(before=SECOND, after=THIRD))
    assert replica.view == THIRD.state


def test_a_change_that_comes_twice_is_noticed() -> None:
    replica = BookReplica()
    apply(replica, told(after=FIRST))
    apply(replica, told(before=FIRST, after=SECOND))
    with pytest.raises(BookGap):
        apply(replica, told(before=FIRST, after=SECOND))


@pytest.mark.parametrize("whole_state", [True, False])
def test_a_book_that_has_not_the_checksum_is_not_held(whole_state: bool) -> None:
    replica = BookReplica()
    apply(replica, told(after=FIRST))
    push = told(after=SECOND) if whole_state else told(before=FIRST, after=SECOND)
    push["message"]["orderBook"]["bids"][0]["lots"] += 1
    with pytest.raises(BookGap, match="the book at 8 has not the checksum"):
        apply(replica, push)
    assert replica.view is None


def test_pushes_without_mode_and_checksum_are_taken_as_they_are() -> None:
    replica = BookReplica()
    message = {"orderBook": {"asks": [], "bids": [{"ticks": 1, "lots": 2, "count": 1}]}}
    push = {"message": {**message, "trades": []}, "seq": 4, "trade": 0, "event": "orderbook"}
    assert apply(replica, push)
    assert replica.view is not None
    assert replica.view.bids == (Level(1, 2, 1),)
