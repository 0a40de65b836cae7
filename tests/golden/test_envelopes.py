"""What stands around a payload, and the answers to requests (protocol §3), byte for byte."""

import pytest

from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import Pong, encode
from jayx_stream.wire.push import Encoding, Push
from jayx_stream.wire.session import notice
from tests.wire.client import Client

ENVELOPED = Encoding(bytes, envelope=True)
BARE = Encoding(bytes, envelope=False)
KLINE = Push("kline", "kline:spot:BTCUSDT:60", 8812, 1716131619042, b'{"add":null,"modify":null}')
BOOK = Push("orderbook", "orderbook:spot:BTCUSDT:1", 7, 5, b"{}", trade=0)

CHANGE = Push(
    "orderbook", "orderbook:spot:BTCUSDT:1:mode=delta", 7, 5, b"{}", trade=0, prev=0, checksum=0
)


@pytest.mark.parametrize(
    ("push", "encoding", "merged", "text"),
    [
        (
            KLINE, ENVELOPED, 0,
            b'{"event":"kline","message":{"add":null,"modify":null},'
            b'"stream":"kline:spot:BTCUSDT:60","seq":8812,"ts":1716131619042}',
        ),
        (
            KLINE, ENVELOPED, 3,
            b'{"event":"kline","message":{"add":null,"modify":null},'
            b'"stream":"kline:spot:BTCUSDT:60","seq":8812,"ts":1716131619042,"merged":3}',
        ),
        (
            BOOK, ENVELOPED, 0,
            b'{"event":"orderbook","message":{},"stream":"orderbook:spot:BTCUSDT:1",'
            b'"seq":7,"ts":5,"trade":0}',
        ),
        (
            CHANGE, ENVELOPED, 0,
            b'{"event":"orderbook","message":{},"stream":"orderbook:spot:BTCUSDT:1:mode=delta",'
            b'"seq":7,"ts":5,"trade":0,"prev":0,"checksum":0}',
        ),
        (KLINE, BARE, 0, b'{"add":null,"modify":null}'),
        (KLINE, BARE, 3, b'{"add":null,"modify":null}'),
    ],
    ids=["push", "merged", "trade", "change", "bare", "bare merged"],
)  # fmt: skip
def test_push(push: Push, encoding: Encoding, merged: int, text: bytes) -> None:
    assert push.frame(encoding, merged) == text


def test_a_push_is_encoded_once_per_encoding() -> None:
    push = Push("kline", "k", 1, 2, b"{}")
    assert push.frame(ENVELOPED) is push.frame(ENVELOPED)
    assert push.frame(BARE) == b"{}"


def test_framing_is_what_the_door_makes_of_the_text() -> None:
    framed = Encoding(lambda text: b"<" + text + b">", envelope=False)
    assert Push("kline", "k", 1, 2, b"{}").frame(framed) == b"<{}>"
    assert framed.reply(Pong("pong", 1, 2)) == b'<{"event":"pong","id":1,"ts":2}>'


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        (
            b'{"event": "kline", "message": {"category": "spot", "symbol": "BTCUSDT",'
            b' "interval": "60"}, "id": 1}',
            b'{"event":"ack","id":1,"message":{"stream":"kline:spot:BTCUSDT:60",'
            b'"epoch":"00c0ffee00c0ffee"}}',
        ),
        (
            b'{"event":"kline","message":{"category":"spot","symbol":"BTCUSD","interval":"60"},"id":"a"}',
            b'{"event":"error","id":"a","message":{"code":"UNKNOWN_SYMBOL",'
            b'"reason":"no instrument BTCUSD in category spot","request":{"event":"kline",'
            b'"message":{"category":"spot","symbol":"BTCUSD","interval":"60"},"id":"a"}}}',
        ),
        (
            b"{",
            b'{"event":"error","message":{"code":"BAD_JSON","reason":"Input data was truncated"}}',
        ),
        (b'{"event":"ping","id":1}', b'{"event":"pong","id":1,"ts":1716131619042}'),
        (b'{"event":"ping"}', b'{"event":"pong","ts":1716131619042}'),
    ],
    ids=["ack", "error", "error without id", "pong", "pong without id"],
)
def test_answer(request_text: bytes, answer: bytes) -> None:
    client = Client(Limits())
    assert client.texts(client.send_text(request_text)) == [answer]


def test_notice() -> None:
    assert encode(notice("CLOSING", 10)) == (
        b'{"event":"notice","message":{"code":"CLOSING","seconds":10}}'
    )
