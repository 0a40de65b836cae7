"""Whatever a client sends, it is answered: nothing raises, and every answer is JSON."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jayx_stream.model.commands import AmendOrder
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire import session
from jayx_stream.wire.actions import (
    Close,
    Remember,
    Reply,
    Resume,
    Submit,
    Subscribe,
    Unsubscribe,
)
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import RestAnswer, read_order
from tests.wire.client import DOCUMENTED, Client, SmallPresent

ACTIONS = (Reply, Subscribe, Resume, Unsubscribe, Remember, Submit, Close)
ANSWERS = {"ack", "error", "pong"}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.sampled_from(
        ["spot", "BTCUSDT", "60", 60, "1", "alicekey", "kline:spot:BTCUSDT:60", "9" * 99]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "event",
        "category",
        "symbol",
        "interval",
        "limit",
        "precise",
        "depth",
        "mode",
        "apiKey",
        "stream",
        "timestamp",
        "sign",
        "recvWindow",
        "cancelOnDisconnect",
        "side",
        "type",
        "lots",
        "ticks",
        "quantity",
        "price",
        "market",
        "clientOrderId",
        "id",
    ]
)
EVENTS = st.sampled_from([*session.EVENTS, "unsubscribe"])
TRADING: dict[str, dict[str, Any]] = {
    "order": {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1},
    "amend": {"id": 1, "lots": 1},
    "cancel": {"clientOrderId": "mine"},
    "cancelAll": {},
    "login": {"apiKey": "alicekey", "timestamp": 1, "sign": "x"},
}
"""Good messages but for the login's signature."""
MESSAGES: dict[str, dict[str, Any]] = {**DOCUMENTED, **TRADING}


@st.composite
def mutated_requests(draw: st.DrawFn) -> dict[str, Any]:
    """A good request with a few things wrong."""
    event = draw(st.sampled_from(list(MESSAGES)))
    message: dict[str, Any] = {**MESSAGES[event]}
    message.update(draw(st.dictionaries(FIELDS, VALUES, max_size=3)))
    if message:
        for name in draw(st.lists(st.sampled_from(list(message)), max_size=1)):
            del message[name]
    request: dict[str, Any] = {
        "event": draw(st.just(event) | EVENTS),
        draw(st.sampled_from(["message", "data"])): message,
    }
    if draw(st.booleans()):
        request["id"] = draw(SCALARS)
    return request


def check(text: bytes, *, replies_are_json: bool = True) -> None:
    """Twice in one session, since the second time some of it is there already."""
    client = Client(Limits(streams_per_connection=3))
    client.login()
    for action in [*client.send_text(text), *client.send_text(text)]:
        assert isinstance(action, ACTIONS)
        if isinstance(action, Reply) and replies_are_json:
            assert json.loads(encode(action.answer))["event"] in ANSWERS
        elif isinstance(action, Submit) and replies_are_json:
            check_submit(action)


def check_submit(submit: Submit) -> None:
    """Whatever becomes of it can be told, and it is within what the exchange takes."""
    done = submit.done(RestAnswer("OK", [], 1))
    assert (done is None) == (submit.request_id is None)
    refused = submit.refused(ProtocolError(ErrorCode.UNAVAILABLE, ""))
    assert json.loads(encode(refused))["event"] == "error"
    assert submit.command.account == "alice"
    if isinstance(submit.command, AmendOrder):
        assert 0 <= submit.command.lots < 2**63


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    # A door lets valid UTF-8 through only; of anything else it is enough that it raises nothing.
    check(text, replies_are_json=False)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    check(text.encode("utf-8", "replace"))


@settings(deadline=None)
@given(VALUES)
def test_any_json(value: object) -> None:
    check(json.dumps(value).encode())


@settings(deadline=None)
@given(mutated_requests() | st.lists(mutated_requests() | VALUES, max_size=5))
def test_almost_good_requests(request: object) -> None:
    check(json.dumps(request).encode())
    check(json.dumps(request, ensure_ascii=False).encode("utf-8", "replace"))


@settings(deadline=None)
@given(mutated_requests() | VALUES.filter(lambda value: not isinstance(value, list)))
def test_a_request_alone_is_done_like_one_of_a_batch(request: object) -> None:
    text = json.dumps(request).encode()
    alone, of_a_batch = Client(), Client()
    for _ in range(2):
        alone.login()
        of_a_batch.login()
        assert alone.send_text(b" " + text + b"\n") == of_a_batch.send_text(b"[" + text + b"]")


@settings(deadline=None)
@given(st.sampled_from(list(MESSAGES)), st.integers(0, 120), st.binary(max_size=3))
def test_good_requests_cut_and_patched(event: str, at: int, patch: bytes) -> None:
    text = json.dumps({"event": event, "message": MESSAGES[event], "id": 1}).encode()
    check(text[:at])
    check(text[:at] + patch + text[at + len(patch) :], replies_are_json=False)


@pytest.mark.parametrize("digits", [5000, 60_000])
@pytest.mark.parametrize("field", ["id", "interval", "limit", "precise", "depth"])
def test_numbers_of_thousands_of_digits(field: str, digits: int) -> None:
    number = f'"{field}":{"9" * digits}'
    message = f'{{"category":"spot","symbol":"BTCUSDT","interval":60,{number}}}'
    for event in ("kline", "orderbook"):
        text = f'{{"event":"{event}","message":{message},{number}}}'
        check(text.encode(), replies_are_json=False)


# Orders come by REST too, where no door looks at the UTF-8.

ORDER = TRADING["order"]
REFUSALS = {
    ErrorCode.BAD_JSON,
    ErrorCode.BAD_REQUEST,
    ErrorCode.BAD_ORDER,
    ErrorCode.UNKNOWN_SYMBOL,
}
ORDER_FIELDS = st.sampled_from([*ORDER, "quantity", "price", "market", "clientOrderId"])


def check_order(body: bytes) -> None:
    """It is an order or a refusal with a code for it."""
    try:
        order = read_order(body, "alice", SmallPresent())
    except ProtocolError as error:
        refused = error
    else:
        assert 0 <= order.lots < 2**63
        assert 0 <= order.limit_ticks < 2**63
        return
    assert refused.code in REFUSALS
    assert refused.reason


@settings(deadline=None)
@given(st.dictionaries(ORDER_FIELDS, VALUES, max_size=3))
def test_almost_good_orders(changed: dict[str, object]) -> None:
    check_order(json.dumps({**ORDER, **changed}).encode())


@settings(deadline=None)
@given(st.integers(0, 90), st.binary(max_size=3))
def test_order_bytes_cut_and_patched(at: int, patch: bytes) -> None:
    text = json.dumps(ORDER).encode()
    check_order(text[:at] + patch)
    check_order(text[:at] + patch + text[at + len(patch) :])


@pytest.mark.parametrize("body", [b"", b"[" * 60_000, b'{"a":' * 20_000, b'{"side":"\xff"}'])
def test_bodies_that_are_no_orders(body: bytes) -> None:
    check_order(body)
