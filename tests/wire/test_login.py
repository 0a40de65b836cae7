"""Keys, logins, and orders on a stream, as one session sees them (protocol §9)."""

from typing import Any

import pytest
from msgspec import Raw, json

from jayx_stream.model.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.actions import Remember, Reply, Submit, Subscribe, Unsubscribe
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import RestAnswer
from tests.wire.client import OPENORDERS, POSITIONS, Client, sign

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 5, "ticks": 7}
RESTING = Order(9, "alice", "ETHUSDT", Side.BUY, OrderType.LIMIT, 1000, 100, "mine", 5_000_000)


def signed(event: str = "positions", timestamp: int | str = 17, **more: Any) -> dict[str, Any]:
    """The message of a private stream, of a key that has to sign."""
    signature = sign("signs", timestamp, f"GET/stream/{event}")
    message = {**POSITIONS, "apiKey": "signs", "timestamp": timestamp, "sign": signature}
    return {**message, **more}


def traders_client(**more: Any) -> Client:
    """Alice has logged in."""
    client = Client(None, RESTING)
    client.login(**more)
    return client


# Private streams with a signature.


@pytest.mark.parametrize("event", ["positions", "openorders"])
@pytest.mark.parametrize("timestamp", [17, "17"])
def test_a_private_stream_is_signed_over_its_own_name(event: str, timestamp: int | str) -> None:
    client = Client()
    assert isinstance(
        client.send({"event": event, "message": signed(event, timestamp)})[0], Subscribe
    )
    (used,) = client.directory.used
    assert (used.timestamp, used.signed, used.window_ms) == (
        "17",
        f"GET/stream/{event}".encode(),
        5000,
    )


def test_a_signature_of_one_stream_is_none_of_another() -> None:
    code, _ = Client().refusal("positions", signed("openorders"))
    assert code == "UNAUTHORIZED"


def test_a_key_that_has_to_sign_is_refused_without() -> None:
    assert Client().refusal("positions", {**POSITIONS, "apiKey": "signs"})[0] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sign": None}, "timestamp needs a sign beside it"),
        ({"timestamp": None}, "sign needs a timestamp beside it"),
        ({"timestamp": "soon"}, "timestamp 'soon' is not"),
        ({"timestamp": "-1"}, "timestamp '-1' is not"),
        ({"timestamp": -1}, "timestamp -1 is not"),
        ({"timestamp": 10**400}, "timestamp 1000"),
        ({"timestamp": ""}, "timestamp '' is not"),
        ({"timestamp": 1.5}, "`$.timestamp`: 1.5"),
        ({"sign": 5}, "`$.sign`: 5"),
        ({"recvWindow": 60_001}, "recvWindow 60001 is not a whole number from 1 to 60000"),
        ({"recvWindow": 0}, "recvWindow 0 is"),
        ({"recvWindow": "5000"}, '`$.recvWindow`: "5000"'),
    ],
)
def test_half_a_signature_and_wrong_parts_are_named(changed: dict[str, Any], says: str) -> None:
    client = Client()
    code, reason = client.refusal("positions", {**signed(), **changed})
    assert (code, says in reason) == ("BAD_REQUEST", True), reason
    assert client.directory.used == []


@pytest.mark.parametrize("changed", [{"category": "x"}, {"since": -1}, {"since": 5}])
def test_what_is_refused_for_another_reason_uses_no_signature_up(
    changed: dict[str, Any],
) -> None:
    client = Client()
    assert client.refusal("positions", signed(**changed))[0] in ("BAD_REQUEST", "UNKNOWN_CATEGORY")
    assert client.directory.used == []


def test_a_wider_window_is_taken() -> None:
    client = Client()
    client.subscribe("positions", signed(recvWindow=60_000))
    assert client.directory.used[0].window_ms == 60_000


def test_a_window_without_a_signature_means_nothing() -> None:
    acked = Client().ask_acked("positions", {**POSITIONS, "recvWindow": 9})
    assert acked["ignored"] == ["recvWindow"]
    assert "ignored" not in Client().ask_acked("positions", signed(recvWindow=9))


@pytest.mark.parametrize("event", ["positions", "openorders"])
def test_a_signed_stream_is_unsubscribed_by_its_message_without_another_signature(
    event: str,
) -> None:
    client = Client()
    client.send({"event": event, "message": signed(event)})
    for message in ({"apiKey": "signs", "category": "spot"}, signed(event)):
        client.ask("unsubscribe", {"event": event, **message})
        assert len(client.directory.used) == 1
        assert client.ask_acked("subscriptions", {}) == {"streams": []}


def test_another_key_of_the_account_unsubscribes_too() -> None:
    client = Client()
    client.subscribe("positions", POSITIONS)
    message = {"event": "positions", "apiKey": "alice2", "category": "spot"}
    _, last = client.send({"event": "unsubscribe", "message": message, "id": 1})
    assert isinstance(last, Unsubscribe)


def test_a_key_that_never_came_is_checked_at_unsubscribing() -> None:
    for key in ("stranger", "signs"):
        message = {"event": "positions", "apiKey": key, "category": "spot"}
        assert Client().refusal("unsubscribe", message)[0] == "UNAUTHORIZED"


def test_a_session_knows_all_keys_that_let_it_in() -> None:
    client = Client()
    assert client.session.key_ids == set()
    client.subscribe("positions", POSITIONS)
    client.subscribe("openorders", {**OPENORDERS, "apiKey": "bobkey"})
    client.login("alice2")
    client.refusal("positions", {**POSITIONS, "apiKey": "stranger"})
    client.login("readonly", 2)
    assert client.session.key_ids == {"id of alicekey", "id of bobkey", "id of alice2"}


# Login.


def test_a_login_is_acknowledged_with_whom_and_what_for() -> None:
    remember, reply = Client().login(cancelOnDisconnect=True)
    assert isinstance(remember, Remember)
    assert isinstance(reply, Reply)
    assert encode(reply.answer) == (
        b'{"event":"ack","id":1,"message":{"code":"OK","data":{"account":"alice",'
        b'"permissions":["read","trade"],"cancelOnDisconnect":true},"seq":41}}'
    )


def test_a_login_without_an_id_is_done_silently() -> None:
    client = Client()
    message = {
        "apiKey": "alicekey",
        "timestamp": "5",
        "sign": sign("alicekey", 5, "GET/stream/login"),
    }
    (action,) = client.send({"event": "login", "message": message})
    assert isinstance(action, Remember)
    client.submitted("order", ORDER)


def test_what_a_login_passed_over_is_named() -> None:
    answer = Client.replies(Client().login(scope="all"))[0]
    assert answer["message"]["ignored"] == ["scope"]


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"apiKey": None}, "BAD_REQUEST", "`$.apiKey`: null"),
        ({"apiKey": "stranger"}, "UNAUTHORIZED", ""),
        ({"sign": "x"}, "UNAUTHORIZED", "does not fit"),
        ({"timestamp": "x"}, "BAD_REQUEST", "timestamp 'x'"),
        ({"timestamp": None}, "BAD_REQUEST", "`$.timestamp`: null"),
        ({"recvWindow": -5}, "BAD_REQUEST", "recvWindow -5"),
        ({"cancelOnDisconnect": 1}, "BAD_REQUEST", "`$.cancelOnDisconnect`: 1"),
        ({"cancelOnDisconnect": None}, "BAD_REQUEST", "`$.cancelOnDisconnect`: null"),
    ],
)
def test_a_wrong_login_is_refused_and_opens_nothing(
    changed: dict[str, Any], code: str, says: str
) -> None:
    client = Client()
    (answer,) = client.replies(client.login(**changed))
    assert (answer["event"], answer["message"]["code"]) == ("error", code)
    assert says in answer["message"]["reason"]
    assert client.refusal("order", ORDER)[0] == "UNAUTHORIZED"


def test_a_key_that_only_reads_can_not_log_in() -> None:
    (answer,) = Client.replies(Client().login("readonly"))
    assert answer["message"]["code"] == "FORBIDDEN"


def test_a_login_is_good_once() -> None:
    client = Client()
    client.login()
    (answer,) = client.replies(client.login())
    assert answer["message"]["code"] == "UNAUTHORIZED"


def test_the_last_good_login_decides_who_trades() -> None:
    client = Client()
    client.login(cancelOnDisconnect=True)
    assert client.session.cancel_account == "alice"
    client.login("stranger", 2)
    assert client.submitted("order", ORDER).command.account == "alice"
    client.login("bobkey", 3)
    assert client.submitted("order", ORDER).command.account == "bob"
    assert client.session.cancel_account is None
    client.login("bobkey", 4, cancelOnDisconnect=True)
    assert client.session.cancel_account == "bob"


def test_streams_go_on_when_someone_else_logs_in() -> None:
    client = Client()
    client.subscribe("positions", POSITIONS)
    client.login("bobkey")
    assert client.ask_acked("subscriptions", {}) == {"streams": ["positions:spot@alice"]}


# Orders.


@pytest.mark.parametrize("event", ["order", "amend", "cancel", "cancelAll"])
def test_trading_needs_a_login(event: str) -> None:
    code, reason = Client().refusal(event, ORDER)
    assert (code, reason) == (
        "UNAUTHORIZED",
        f"log in first: {event} needs a login on this connection",
    )


@pytest.mark.parametrize("event", ["login", "order", "amend", "cancel", "cancelAll"])
def test_trading_needs_a_message(event: str) -> None:
    (answer,) = Client.replies(traders_client().send({"event": event}))
    assert answer["message"]["code"] == "BAD_REQUEST"
    assert "needs a message" in answer["message"]["reason"]


@pytest.mark.parametrize(
    ("event", "message", "command"),
    [
        (
            "order",
            {**ORDER, "clientOrderId": "first"},
            PlaceOrder(
                account="alice",
                symbol="BTCUSDT",
                side=Side.BUY,
                type=OrderType.LIMIT,
                lots=5,
                limit_ticks=7,
                client_order_id="first",
            ),
        ),
        ("amend", {"id": 3, "lots": 2}, AmendOrder(account="alice", order_id=3, lots=2)),
        ("cancel", {"id": "3"}, CancelOrder(account="alice", order_id=3)),
        ("cancelAll", {}, CancelAll(account="alice")),
    ],
)
def test_a_message_names_its_command(event: str, message: object, command: object) -> None:
    submit = traders_client().submitted(event, message)
    request = {"event": event, "message": message, "id": 1}
    assert (submit.command, submit.request_id) == (command, 1)
    assert submit.request == Raw(json.encode(request))


def test_an_order_is_acknowledged_as_rest_answers_it() -> None:
    submit = traders_client().submitted("order", ORDER)
    assert encode(submit.done(RestAnswer("OK", {"id": 1}, 7))) == (
        b'{"event":"ack","id":1,"message":{"code":"OK","data":{"id":1},"seq":7}}'
    )


def test_what_an_order_passed_over_is_named_in_its_ack() -> None:
    submit = traders_client().submitted("order", {**ORDER, "timeInForce": "GTC", "market": "X"})
    assert encode(submit.done(RestAnswer("OK", [], 7))) == (
        b'{"event":"ack","id":1,"message":{"code":"OK","data":[],"seq":7,"ignored":["timeInForce"]}}'
    )


def test_an_order_without_an_id_is_not_acknowledged_but_refused_aloud() -> None:
    (submit,) = traders_client().send({"event": "order", "message": ORDER})
    assert isinstance(submit, Submit)
    assert submit.done(RestAnswer("OK", [], 7)) is None
    refused = json.decode(encode(submit.refused(ProtocolError(ErrorCode.WOULD_TAKE, "so"))))
    assert refused == {
        "event": "error",
        "message": {
            "code": "WOULD_TAKE",
            "reason": "so",
            "request": {"event": "order", "message": ORDER},
        },
    }


def test_a_batch_of_orders_keeps_its_order() -> None:
    batch = [{"event": "order", "message": {**ORDER, "lots": lots}} for lots in range(1, 101)]
    commands = [each.command for each in traders_client().send(batch) if isinstance(each, Submit)]
    assert [each.lots for each in commands if isinstance(each, PlaceOrder)] == list(range(1, 101))


def test_orders_count_as_requests() -> None:
    client = traders_client()
    told = client.send([{"event": "cancelAll", "message": {}}] * 100)
    told += client.send([{"event": "cancelAll", "message": {}}] * 100)
    assert sum(isinstance(each, Submit) for each in told) == 199
    assert client.replies(told)[0]["message"]["code"] == "RATE_LIMITED"
