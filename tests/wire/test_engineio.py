"""One Engine.IO session, without a socket: heartbeat, upgrade, end."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.wire.engineio import (
    BinaryMessage,
    Breach,
    End,
    EngineSession,
    Message,
    Send,
    Switch,
    Terms,
    Transport,
    binary_of,
    binary_packet,
    join_payload,
    split_payload,
)

TERMS = Terms(ping_interval=300, ping_timeout=200, max_payload=1000)


def session(transport: Transport = Transport.POLLING) -> EngineSession:
    """Opened at 10 s."""
    return EngineSession("sid", TERMS, transport, 10.0)


def test_the_opening_says_the_terms_and_what_may_be_changed_over_to() -> None:
    terms = b'"pingInterval":300,"pingTimeout":200,"maxPayload":1000}'
    assert session().opening() == b'0{"sid":"sid","upgrades":["websocket"],' + terms
    assert session(Transport.WEBSOCKET).opening() == b'0{"sid":"sid","upgrades":[],' + terms


def test_a_ping_is_due_an_interval_after_the_opening_and_after_each_pong() -> None:
    engine = session()
    assert engine.tick(10.29) is None
    assert engine.next_s == pytest.approx(10.3)
    assert engine.tick(10.31) == Send(b"2")
    assert engine.receive(b"3", 10.4) is None
    assert engine.tick(10.69) is None
    assert engine.tick(10.71) == Send(b"2")


def test_without_a_pong_in_time_the_session_is_over() -> None:
    engine = session()
    assert engine.tick(10.3) == Send(b"2")
    assert engine.tick(10.49) is None
    assert engine.receive(b"4hello", 10.49) == Message(b"hello")
    assert engine.tick(10.51) == End("no pong within 200 ms")
    assert engine.is_over
    assert engine.tick(99.0) is None


def test_a_pong_that_nobody_asked_for_only_puts_the_ping_off() -> None:
    engine = session()
    assert engine.receive(b"3", 10.1) is None
    assert engine.tick(10.31) is None
    assert engine.tick(10.41) == Send(b"2")


def test_messages_are_handed_on_and_a_close_ends_the_session() -> None:
    engine = session()
    assert engine.receive(b"4", 10.0) == Message(b"")
    assert engine.receive(b"6", 10.0) is None
    assert engine.receive(b"bAQIDBA==", 10.0) == BinaryMessage(bytes([1, 2, 3, 4]))
    assert engine.receive(b"1", 10.0) == End("the client closed the session")
    assert engine.is_over


@pytest.mark.parametrize(
    "packet", [b"", b"abc", b"0{}", b"2", b"2probe", b"5", b"7", b"9", b"b?", b"bA", b"\xff", b" 4"]
)
def test_what_is_no_packet_of_a_client_is_a_breach(packet: bytes) -> None:
    with pytest.raises(Breach):
        session().receive(packet, 10.0)


def test_on_a_websocket_no_packet_is_base64() -> None:
    with pytest.raises(Breach, match="no packet of type"):
        session(Transport.WEBSOCKET).receive(b"bAQIDBA==", 10.0)


def test_an_upgrade_is_a_probe_and_then_the_word() -> None:
    engine = session()
    assert engine.receive_on_probe(b"2probe") == Send(b"3probe")
    assert engine.receive(b"4still here", 10.0) == Message(b"still here")
    assert engine.receive_on_probe(b"5") == Switch()
    assert engine.transport is Transport.WEBSOCKET


@pytest.mark.parametrize("packets", [[b"5"], [b"4hello"], [b"2"], [b"2probe", b"2probe"], [b""]])
def test_an_upgrade_by_other_words_is_a_breach_and_changes_nothing(packets: list[bytes]) -> None:
    engine = session()
    for packet in packets[:-1]:
        engine.receive_on_probe(packet)
    with pytest.raises(Breach, match="an upgrade is 2probe"):
        engine.receive_on_probe(packets[-1])
    assert engine.transport is Transport.POLLING
    assert not engine.is_over


def test_a_payload_is_its_packets_with_a_separator_between() -> None:
    assert split_payload(b"4a\x1e4b\x1ebAQI=") == [b"4a", b"4b", b"bAQI="]
    assert split_payload(b"") == [b""]
    assert join_payload([b"2", b"4a"]) == b"2\x1e4a"


@given(st.binary())
def test_a_binary_message_comes_out_of_its_packet_as_it_went_in(data: bytes) -> None:
    assert binary_of(binary_packet(data)) == data
    assert session().receive(binary_packet(data), 10.0) == BinaryMessage(data)


@given(st.lists(st.binary(max_size=12)), st.sampled_from(Transport))
def test_whatever_comes_is_taken_or_is_a_breach(packets: list[bytes], transport: Transport) -> None:
    engine = session(transport)
    for packet in packets:
        with suppress(Breach):
            engine.receive(packet, 10.0)
    assert engine.next_s > 10.0
