"""Which pushes are compressed for readers that take it: large public ones, once for all of them."""

from typing import get_args

import pytest
from msgspec import json

from jayx_stream.wire.channels import PUBLIC_EVENTS, Channel
from jayx_stream.wire.messages import Ack
from jayx_stream.wire.push import DEFLATED_BYTES_MIN, Encoding, Push
from jayx_stream.wire.socketio import SocketEncoding


def deflating(text: bytes) -> bytes:
    """Stands out, and is as good as a compressor here."""
    return b"deflated " + text


RAW = Encoding(bytes, envelope=True, deflating=deflating)
BARE = Encoding(bytes, envelope=False, deflating=deflating)
SOCKETIO = SocketEncoding(bytes, deflating=deflating)
PLAIN = {
    RAW: Encoding(bytes, envelope=True),
    BARE: Encoding(bytes, envelope=False),
    SOCKETIO: SocketEncoding(bytes),
}
encodings = pytest.mark.parametrize("encoding", PLAIN, ids=["raw", "bare", "Socket.IO"])


def push(event: str = "orderbook", size: int = 1000) -> Push:
    """With a payload of so many bytes."""
    return Push(event, f"{event}:spot", 7, 1000, b'"' + b"x" * (size - 2) + b'"')


@encodings
def test_a_large_public_push_is_compressed_once(encoding: Encoding) -> None:
    told = push()
    assert told.frame(encoding) == b"deflated " + told.frame(PLAIN[encoding])
    assert told.frame(encoding) is told.frame(encoding)


@encodings
@pytest.mark.parametrize("event", ["positions", "openorders", "news"])
def test_what_is_not_known_to_be_public_is_plain(encoding: Encoding, event: str) -> None:
    told = push(event)
    assert told.frame(encoding) == told.frame(PLAIN[encoding])


def test_an_event_is_public_if_its_streams_are_nobodys_own() -> None:
    channels = get_args(Channel)
    assert {each.event for each in channels if "account" not in each.__struct_fields__} == (
        PUBLIC_EVENTS
    )


@encodings
def test_a_push_is_compressed_from_a_size_on(encoding: Encoding) -> None:
    around = len(push(size=100).frame(PLAIN[encoding])) - 100
    small, large = (push(size=DEFLATED_BYTES_MIN - around - less) for less in (1, 0))
    assert small.frame(encoding) == small.frame(PLAIN[encoding])
    assert large.frame(encoding) == b"deflated " + large.frame(PLAIN[encoding])


@encodings
def test_a_push_that_stands_for_others_is_plain(encoding: Encoding) -> None:
    told = push()
    assert told.frame(encoding, merged=2) == told.frame(PLAIN[encoding], merged=2)


@encodings
def test_an_answer_is_plain(encoding: Encoding) -> None:
    answer = Ack("ack", 1, {"data": "x" * 1000})
    assert encoding.reply(answer) == PLAIN[encoding].reply(answer)
    assert json.encode("x" * 1000) in encoding.reply(answer)
