"""Socket.IO without a socket: packets, namespaces and bounds; and the raw door's messages as events."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.engineio import Breach
from jayx_stream.wire.messages import Ack, Answer, ErrorAnswer, ErrorMessage, Pong
from jayx_stream.wire.push import Encoding, Push
from jayx_stream.wire.session import notice
from jayx_stream.wire.socketio import (
    CONNECTS_MAX,
    PACKETS,
    Action,
    Connected,
    Disconnected,
    Event,
    Packet,
    PacketType,
    Send,
    SocketEncoding,
    SocketSession,
    read_packet,
    request_text,
)

CONNECT = b"0"


def session(attachments_max: int = 0) -> SocketSession:
    return SocketSession({"/", "/custom"}, lambda: "name", attachments_max=attachments_max)


def connected(attachments_max: int = 0) -> SocketSession:
    """A session in the main namespace."""
    socket = session(attachments_max)
    assert len(list(socket.receive(CONNECT))) == 2
    return socket


def received(socket: SocketSession, text: bytes) -> list[Action]:
    return list(socket.receive(text))


# Packets.

PACKET_TEXTS = {
    "a connect": (b"0", Packet(PacketType.CONNECT)),
    "a connect with data": (b'0{"a":1}', Packet(PacketType.CONNECT, data=Raw(b'{"a":1}'))),
    "a namespace": (b"0/custom,", Packet(PacketType.CONNECT, "/custom")),
    "an event": (b'2["a",1]', Packet(PacketType.EVENT, data=Raw(b'["a",1]'))),
    "an id": (b'212["a"]', Packet(PacketType.EVENT, id=12, data=Raw(b'["a"]'))),
    "all at once": (
        b'51-/custom,3["a",{"_placeholder":true,"num":0}]',
        Packet(
            PacketType.BINARY_EVENT,
            "/custom",
            3,
            1,
            Raw(b'["a",{"_placeholder":true,"num":0}]'),
        ),
    ),
    "an acknowledgement": (b"37[]", Packet(PacketType.ACK, id=7, data=Raw(b"[]"))),
}


@pytest.mark.parametrize(("text", "packet"), PACKET_TEXTS.values(), ids=PACKET_TEXTS)
def test_a_packet_is_read_as_it_is_written(text: bytes, packet: Packet) -> None:
    assert read_packet(text, attachments_max=10) == packet
    assert packet.text() == b"4" + text


def test_a_namespace_may_end_the_packet() -> None:
    assert read_packet(b"0/custom", 0) == Packet(PacketType.CONNECT, "/custom")


BREACHES = {
    "nothing": b"",
    "no digit": b"abc",
    "an unknown type": b"7",
    "a great many attachments": b'59999999999-["a"]',
    "one attachment": b'51-["a",{"_placeholder":true,"num":0}]',
    "an acknowledgement with one": b'61-1[{"_placeholder":true,"num":0}]',
    "attachments without a count": b'5["a"]',
    "an id without end": b"2" + b"9" * 10_000 + b'["a"]',
    "an id in scientific notation": b'21e99["a"]',
    "an id that is no number": b'2abc["a"]',
    "a negative id": b'2-1["a"]',
    "a namespace without end": b"0/" + b"a" * 10_000,
    "data that is no JSON": b'2["a",nope]',
    "data that ends early": b'2["a"',
    "data nested too deeply": b'2["a",' + b"[" * 5000 + b"]" * 5000 + b"]",
    "an event that is no array": b"2{}",
    "an event without data": b"2",
    "an event without a name": b"2[]",
    "an event whose name is no string": b"2[1]",
    "an event whose name is null": b"2[null]",
    "an acknowledgement of nothing": b"31",
    "an acknowledgement that is no array": b"31{}",
    "an error": b'4{"message":"no"}',
    "a second connect": b"0",
    "a connect with a list": b"0/custom,[]",
    "a connect with a text": b'0/custom,"a"',
    "a connect with an id": b"0/custom,1{}",
    "another namespace's event": b'2/custom,["a"]',
    "another namespace's disconnect": b"1/custom,",
}


@pytest.mark.parametrize("text", BREACHES.values(), ids=BREACHES)
def test_what_is_no_socketio_is_a_breach(text: bytes) -> None:
    with pytest.raises(Breach):
        received(connected(), text)


@given(st.text(max_size=40) | st.from_regex(r"[0-6][0-9]{0,2}-?(/a,)?[0-9]{0,3}.{0,9}"))
def test_whatever_comes_is_taken_or_is_a_breach(text: str) -> None:
    socket = connected()
    with suppress(Breach):
        assert all(isinstance(each, Action) for each in received(socket, text.encode()))


# One client.


def test_a_connect_is_granted_with_a_name() -> None:
    assert received(session(), b'0{"token":"1"}') == [
        Send(b'40{"sid":"name"}'),
        Connected("/", Raw(b'{"token":"1"}')),
    ]
    assert received(session(), b"0/custom,") == [
        Send(b'40/custom,{"sid":"name"}'),
        Connected("/custom", Raw(b"{}")),
    ]


def test_a_namespace_that_is_not_there_is_refused() -> None:
    assert received(session(), b"0/random") == [Send(b'44/random,{"message":"Invalid namespace"}')]


def test_a_client_may_try_namespaces_but_not_for_ever() -> None:
    socket = session()
    for number in range(CONNECTS_MAX):
        assert len(received(socket, b"0/x%d," % number)) == 1
    with pytest.raises(Breach, match="more than 10 connects"):
        received(socket, b"0/x,")


def test_before_a_connect_nothing_else_is_taken() -> None:
    for text in (b'2["kline",{}]', b"1", b"3[]"):
        with pytest.raises(Breach, match="not connected to /"):
            received(session(), text)


def test_who_left_a_namespace_may_come_back_and_others_are_not_touched() -> None:
    socket = connected()
    received(socket, b"0/custom")
    assert received(socket, b"1/custom") == [Disconnected("/custom")]
    assert len(received(socket, b'2["a"]')) == 1
    assert received(socket, b"1") == [Disconnected("/")]
    assert len(received(socket, b"0")) == 2


def test_an_event_has_a_name_arguments_and_perhaps_an_id() -> None:
    assert received(connected(), b'212["a",{"b":1},2]') == [
        Event("/", Raw(b'"a"'), [Raw(b'{"b":1}'), Raw(b"2")], 12)
    ]


def test_an_acknowledgement_that_nobody_asked_for_is_passed_over() -> None:
    assert received(connected(), b'31["ok"]') == []


def test_attachments_are_waited_for_where_they_are_taken() -> None:
    socket = connected(attachments_max=2)
    assert received(socket, b'52-["a",{"_placeholder":true,"num":0},1]') == []
    assert list(socket.receive_attachment(b"x")) == []
    [event] = socket.receive_attachment(b"y")
    assert isinstance(event, Event)
    assert event.attachments == (b"x", b"y")
    with pytest.raises(Breach, match="an attachment that no packet counted"):
        list(socket.receive_attachment(b"z"))


def test_no_text_comes_between_attachments() -> None:
    socket = connected(attachments_max=2)
    received(socket, b'51-["a",{"_placeholder":true,"num":0}]')
    with pytest.raises(Breach, match="a text where an attachment was to come"):
        received(socket, b'2["a"]')


def test_one_attachment_more_than_are_taken_is_a_breach() -> None:
    with pytest.raises(Breach, match="3 attachments; 2 are taken"):
        received(connected(attachments_max=2), b'53-["a"]')


# The raw door's messages.


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (b'2["kline",{"symbol":"X"}]', {"event": "kline", "message": {"symbol": "X"}}),
        (b'27["ping"]', {"event": "ping", "id": 7}),
        (b'20["ping",{},"more"]', {"event": "ping", "message": {}, "id": 0}),
        ('2["ключ"]'.encode(), {"event": "ключ"}),
    ],
)
def test_an_event_is_a_request_of_the_raw_door(text: bytes, request_: dict[str, Any]) -> None:
    [event] = received(connected(), text)
    assert isinstance(event, Event)
    assert json.loads(request_text(event)) == request_


def push(**more: Any) -> Push:
    payload = b'{"add":null,"modify":null}'
    return Push("kline", "kline:spot:BTCUSDT:60", 8812, 1716131619042, payload, **more)


def test_a_push_is_an_event_with_the_payload_first_and_the_rest_of_the_envelope_second() -> None:
    assert push().frame(PACKETS) == (
        b'42["kline",{"add":null,"modify":null},'
        b'{"stream":"kline:spot:BTCUSDT:60","seq":8812,"ts":1716131619042}]'
    )


@pytest.mark.parametrize("merged", [0, 3])
@pytest.mark.parametrize("more", [{}, {"trade": 77}, {"reset": True}])
def test_both_doors_tell_the_same(merged: int, more: dict[str, Any]) -> None:
    raw = json.loads(push(**more).frame(Encoding(bytes, envelope=True), merged))
    [name, payload, rest] = json.loads(push(**more).frame(PACKETS, merged)[2:])
    assert {"event": name, "message": payload, **rest} == raw
    assert ["event", "message", *rest] == list(raw)


def test_a_push_is_encoded_once_however_many_read_it() -> None:
    told = push()
    assert told.frame(PACKETS) is told.frame(PACKETS)


ANSWERS: dict[str, tuple[Answer, list[bytes]]] = {
    "an ack": (Ack("ack", 5, {"stream": "s"}), [b'435[{"stream":"s"}]']),
    "an error without a callback": (
        ErrorAnswer("error", UNSET, ErrorMessage(ErrorCode.BAD_JSON, "why", Raw(b"{}"))),
        [b'42["error",{"code":"BAD_JSON","reason":"why","request":{}}]'],
    ),
    "an error with one": (
        ErrorAnswer("error", 0, ErrorMessage(ErrorCode.BAD_JSON, "why", Raw(b"{}"))),
        [
            b'430[{"error":{"code":"BAD_JSON","reason":"why"}}]',
            b'42["error",{"code":"BAD_JSON","reason":"why","request":{}}]',
        ],
    ),
    "a pong without a callback": (Pong("pong", UNSET, 17), [b'42["pong",{"ts":17}]']),
    "a pong with one": (Pong("pong", 3, 17), [b'433[{"ts":17}]', b'42["pong",{"ts":17}]']),
    "a notice": (notice("CLOSING", 3), [b'42["notice",{"code":"CLOSING","seconds":3}]']),
}


@pytest.mark.parametrize(("answer", "packets"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_for_the_callback_and_for_those_who_listen(
    answer: Answer, packets: list[bytes]
) -> None:
    assert PACKETS.reply(answer) == b"\x1e".join(packets)
    framed = SocketEncoding(lambda packet: b"<" + packet + b">")
    assert framed.reply(answer) == b"".join(b"<" + each + b">" for each in packets)
    assert framed.reframe(PACKETS.reply(answer)) == framed.reply(answer)
