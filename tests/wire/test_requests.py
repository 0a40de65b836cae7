"""The envelope of requests (protocol §3): ids, batches, control events, and texts that are no request."""

from typing import Any

import pytest

from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.actions import Subscribe, Unsubscribe
from jayx_stream.wire.channels import KlineChannel, PositionsChannel
from tests.wire.client import DOCUMENTED, KLINE, OPENORDERS, ORDERBOOK, POSITIONS, Client

KLINE_STREAM = "kline:spot:BTCUSDT:60"


def code_of(answer: dict[str, Any]) -> str:
    """The code of an error."""
    assert answer["event"] == "error", answer
    return str(answer["message"]["code"])


# Ids.


@pytest.mark.parametrize("request_id", [1, 0, -5, 2**63, 10**30, "", "a", "x" * 64])
def test_an_id_comes_back_as_it_was_given(request_id: int | str) -> None:
    client = Client()
    for answer in (
        client.ask("kline", KLINE, id=request_id),
        client.ask("kline", {}, id=request_id),
        client.ask("ping", {}, id=request_id),
    ):
        assert answer["id"] == request_id


@pytest.mark.parametrize("request_id", ["x" * 65, 1.5, True, [], {}])
def test_any_other_id_is_refused(request_id: object) -> None:
    assert code_of(Client().ask("kline", KLINE, id=request_id)) == "BAD_REQUEST"


@pytest.mark.parametrize("request_", [{}, {"event": 5}, {"event": None, "message": KLINE}])
def test_an_error_keeps_the_id_whatever_else_is_wrong(request_: dict[str, Any]) -> None:
    (answer,) = Client.replies(Client().send({**request_, "id": 7}))
    assert (code_of(answer), answer["id"]) == ("BAD_REQUEST", 7)


def test_an_id_that_is_refused_is_not_repeated_as_one() -> None:
    (answer,) = Client.replies(Client().send({"event": "ping", "id": "x" * 65}))
    assert "id" not in answer


def test_without_an_id_nothing_is_acknowledged() -> None:
    (action,) = Client().send({"event": "kline", "message": KLINE})
    assert action == Subscribe(KlineChannel("BTCUSDT", 60), 0)


def test_the_ack_stands_before_what_it_leads_to() -> None:
    _, second = Client().send({"event": "kline", "message": KLINE, "id": 1})
    assert isinstance(second, Subscribe)


def test_an_error_repeats_the_request_and_needs_no_id() -> None:
    request = {"event": "kline", "message": {"category": "spot"}, "note": [1, {"a": None}]}
    (answer,) = Client.replies(Client().send(request))
    assert "id" not in answer
    assert answer["message"]["request"] == request


# Forms.


def test_data_is_accepted_in_place_of_message() -> None:
    (action,) = Client().send({"event": "positions", "data": POSITIONS})
    assert action == Subscribe(PositionsChannel("alice"), 0)


def test_message_goes_before_data() -> None:
    (action,) = Client().send({"event": "positions", "data": KLINE, "message": POSITIONS})
    assert action == Subscribe(PositionsChannel("alice"), 0)


@pytest.mark.parametrize("event", [*DOCUMENTED, "unsubscribe"])
def test_a_request_without_its_message_is_refused(event: str) -> None:
    (answer,) = Client.replies(Client().send({"event": event, "id": 1}))
    assert code_of(answer) == "BAD_REQUEST"
    assert "needs a message" in answer["message"]["reason"]


@pytest.mark.parametrize("request_", [{}, {"message": KLINE}, {"event": 1}, 5, "kline", None, True])
def test_what_is_no_request_is_refused(request_: object) -> None:
    (answer,) = Client.replies(Client().send(request_))
    assert code_of(answer) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"  ", b"{", b"nonsense", b"{'event':'ping'}", b'{"event":"ping"} {}', b"\xef\xbb\xbf{}",
        b"[", b'[{"event":"ping"}', b'[{"event":"ping"},]', b'{"event":"\x01"}', b"01", b"NaN",
        b'{"event":"ping","a":1e}', b'{"a":"\\ud800"}', b"[" * 60_000,
        b'{"event":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_json_is_bad_json(text: bytes) -> None:
    (answer,) = Client.replies(Client().send_text(text))
    assert code_of(answer) == "BAD_JSON"
    assert "request" not in answer["message"]


# Batches.


def test_a_batch_is_done_in_order() -> None:
    client = Client()
    replies = client.replies(
        client.send(
            [
                {"event": "ping", "id": 1},
                {"event": "kline", "message": KLINE, "id": 2},
                {"event": "nothing", "id": 3},
                {"event": "unsubscribe", "message": {"stream": KLINE_STREAM}, "id": 4},
                {"event": "subscriptions", "id": 5},
            ]
        )
    )
    assert [(each["event"], each["id"]) for each in replies] == [
        ("pong", 1),
        ("ack", 2),
        ("error", 3),
        ("ack", 4),
        ("ack", 5),
    ]
    assert replies[4]["message"] == {"streams": []}


def test_a_batch_of_a_hundred_is_done() -> None:
    client = Client()
    assert len(client.send([{"event": "ping"}] * 100)) == 100


@pytest.mark.parametrize("size", [0, 101, 5000])
def test_a_batch_of_any_other_size_is_refused_as_a_whole(size: int) -> None:
    (answer,) = Client.replies(Client().send([{"event": "ping"}] * size))
    assert code_of(answer) == "BAD_REQUEST"
    assert f"a batch of {size} requests" in answer["message"]["reason"]


def test_one_bad_request_in_a_batch_leaves_the_others() -> None:
    client = Client()
    answers = client.replies(client.send([[{"event": "ping"}], 3, None, "x", {"event": "ping"}]))
    assert [each["event"] for each in answers] == ["error"] * 4 + ["pong"]
    assert answers[0]["message"]["request"] == [{"event": "ping"}]


# Control events.


def test_subscribing_twice_makes_one_stream_and_asks_for_its_state_again() -> None:
    client = Client()
    first, second = client.subscribe("kline", KLINE), client.subscribe("kline", KLINE)
    assert first == second
    assert client.ask_acked("subscriptions", {}) == {"streams": [KLINE_STREAM]}


def test_subscriptions_are_listed_in_order_by_name() -> None:
    client = Client()
    for event, message in DOCUMENTED.items():
        client.subscribe(event, message)
    assert client.ask_acked("subscriptions", {})["streams"] == [
        KLINE_STREAM,
        "orderbook:spot:BTCUSDT:1",
        "positions:spot@alice",
        "openorders:spot:BTCUSDT@alice",
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"stream": KLINE_STREAM},
        {"event": "kline", **KLINE},
        {"event": "kline", **KLINE, "limit": 5},
    ],
)
def test_unsubscribing_by_name_or_by_message(message: object) -> None:
    client = Client()
    channel = client.subscribe("kline", KLINE).channel
    request = {"event": "unsubscribe", "message": message, "id": 1}
    ack, action = client.send(request)
    assert client.replies([ack])[0]["message"] == {"stream": KLINE_STREAM}
    assert action == Unsubscribe(channel)
    assert client.ask_acked("subscriptions", {}) == {"streams": []}
    assert client.refusal("unsubscribe", message)[0] == "NOT_SUBSCRIBED"


def test_private_streams_are_unsubscribed_by_their_message_too() -> None:
    client = Client()
    client.subscribe("openorders", OPENORDERS)
    message = {"event": "openorders", **OPENORDERS}
    assert client.ask_acked("unsubscribe", message) == {"stream": "openorders:spot:BTCUSDT@alice"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"stream": "kline:spot:ETHUSDT:60"}, ErrorCode.NOT_SUBSCRIBED),
        ({"stream": ""}, ErrorCode.NOT_SUBSCRIBED),
        ({"stream": 5}, ErrorCode.BAD_REQUEST),
        ({}, ErrorCode.BAD_REQUEST),
        (KLINE, ErrorCode.BAD_REQUEST),
        ({"event": "orderbook", **ORDERBOOK}, ErrorCode.NOT_SUBSCRIBED),
        ({"event": "kline"}, ErrorCode.BAD_REQUEST),
        ({"event": "nothing"}, ErrorCode.UNKNOWN_EVENT),
        ({"event": "unsubscribe"}, ErrorCode.UNKNOWN_EVENT),
    ],
)
def test_a_wrong_unsubscribe_ends_nothing(message: object, code: ErrorCode) -> None:
    client = Client()
    client.subscribe("kline", KLINE)
    assert client.refusal("unsubscribe", message)[0] == code
    assert client.ask_acked("subscriptions", {}) == {"streams": [KLINE_STREAM]}


def test_ping_is_answered_with_and_without_an_id() -> None:
    client = Client()
    assert client.replies(client.send({"event": "ping", "message": {}})) == [
        {"event": "pong", "ts": 1716131619042}
    ]
    assert client.ask("ping", {}) == {"event": "pong", "id": 1, "ts": 1716131619042}
