"""How much one client may do (protocol §10)."""

from typing import Any

import pytest

from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.actions import Action, Close
from jayx_stream.wire.limits import Limits, TokenBucket
from tests.wire.client import KLINE, ORDERBOOK, Client

FEW = Limits(requests_per_s=2, requests_burst=3)
PING = {"event": "ping", "id": 7}


def kinds(actions: list[Action]) -> list[Any]:
    """The event of each answer, the code of each close."""
    return [
        action.code if isinstance(action, Close) else Client.replies([action])[0]["event"]
        for action in actions
    ]


# Streams.


def test_one_stream_too_many_is_refused_and_named() -> None:
    client = Client(Limits(streams_per_connection=2))
    client.subscribe("kline", KLINE)
    client.subscribe("orderbook", ORDERBOOK)
    code, reason = client.refusal("orderbook", {**ORDERBOOK, "precise": "10"})
    assert code == "TOO_MANY_STREAMS"
    assert reason == "orderbook:spot:BTCUSDT:10 would be one more than 2 streams"


def test_subscribing_again_counts_as_one_stream() -> None:
    client = Client(Limits(streams_per_connection=1))
    for _ in range(3):
        client.subscribe("kline", KLINE)


def test_an_unsubscribed_stream_makes_room() -> None:
    client = Client(Limits(streams_per_connection=1))
    client.subscribe("kline", KLINE)
    client.ask_acked("unsubscribe", {"stream": "kline:spot:BTCUSDT:60"})
    client.subscribe("orderbook", ORDERBOOK)


def test_no_limit_of_streams_at_0() -> None:
    client = Client(Limits(streams_per_connection=0))
    for depth in (5, 10, 20):
        client.subscribe("orderbook", {**ORDERBOOK, "depth": depth})


# Requests.


def test_requests_over_the_rate_are_refused_with_their_id() -> None:
    client = Client(FEW)
    assert kinds(client.send([PING] * 3)) == ["pong"] * 3
    (answer,) = client.replies(client.send(PING))
    assert answer["id"] == 7
    assert answer["message"] == {
        "code": "RATE_LIMITED",
        "reason": "more than 2 requests a second, after 3 at once",
    }


def test_a_refused_request_does_nothing() -> None:
    client = Client(FEW)
    client.send([PING] * 3)
    assert client.refusal("kline", KLINE)[0] == "RATE_LIMITED"
    client.now_s += 1
    assert client.ask_acked("subscriptions", {}) == {"streams": []}


def test_the_rate_allows_again_after_a_while() -> None:
    client = Client(FEW)
    client.send([PING] * 3)
    client.now_s += 1
    assert kinds(client.send([PING] * 3)) == ["pong", "pong", "error"]


def test_ten_refusals_in_a_row_close_the_connection() -> None:
    client = Client(FEW)
    client.send([PING] * 3)
    assert kinds(client.send([PING] * 9)) == ["error"] * 9
    *_, last = client.send(PING)
    assert isinstance(last, Close)
    assert last.code == CloseCode.FLOODING


def test_a_connection_is_closed_once() -> None:
    client = Client(FEW)
    told = kinds(client.send([PING] * 50))
    assert (told.count("pong"), told.count("error"), told.count(4029)) == (3, 47, 1)


@pytest.mark.parametrize("text", [b'{"event":"ping"}', b"nonsense", b"[]"])
def test_a_request_that_is_let_through_ends_the_row(text: bytes) -> None:
    client = Client(FEW)
    client.send([PING] * 3)
    client.send([PING] * 9)
    client.now_s += 0.5
    client.send_text(text)
    assert kinds(client.send([PING] * 9)) == ["error"] * 9


def test_texts_that_are_no_json_count_as_requests() -> None:
    client = Client(FEW)
    for _ in range(3):
        client.send_text(b"x")
    assert kinds(client.send(PING)) == ["error"]
    assert [kind for _ in range(9) for kind in kinds(client.send_text(b"x"))] == [
        *["error"] * 9,
        4029,
    ]


def test_no_limit_of_requests_at_0() -> None:
    client = Client(Limits(requests_per_s=0, requests_burst=0))
    assert kinds(client.send([PING] * 100) + client.send([PING] * 100)) == ["pong"] * 200


# The bucket.


def taken(bucket: TokenBucket, now_s: float, tries: int) -> int:
    """How many of so many tries succeed."""
    return sum(bucket.take(now_s) for _ in range(tries))


@pytest.mark.parametrize("start_s", [0.0, 1.0, 4567.25])
def test_a_bucket_gives_its_burst_and_then_its_rate(start_s: float) -> None:
    bucket = TokenBucket(5, 10)
    assert taken(bucket, start_s, 20) == 10
    assert taken(bucket, start_s + 1, 20) == 5
    assert taken(bucket, start_s + 1.25, 20) == 1
    assert taken(bucket, start_s + 1000, 20) == 10


def test_a_bucket_without_a_burst_gives_one() -> None:
    bucket = TokenBucket(1, 0)
    assert taken(bucket, 1.0, 3) == 1
