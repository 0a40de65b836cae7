"""Engine.IO v4 without a socket: packets, payloads, and one session's heartbeat, upgrade and end.

Rule: a session decides by what it is given, packets and the time; which bytes carry it is the door's
business. What is no Engine.IO raises `Breach`, which ends the session and harms no other.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from enum import Enum

from msgspec import Struct
from msgspec.json import encode

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
BINARY = b"b"
"""In a payload, before the base64 of a binary message."""

PROBE = b"probe"
SEPARATOR = b"\x1e"
VERSION = "4"
PING_S = 20
"""Engine.IO can't do without pings: this holds where they are switched off."""


class Breach(Exception):
    """What came is not the protocol; the text says what it was."""


class Transport(Enum):
    """What carries a session, by the name that stands in the query."""

    POLLING = "polling"
    WEBSOCKET = "websocket"


class Terms(Struct, frozen=True, rename="camel"):
    """What a client is told when its session opens. Times in milliseconds, the payload in bytes."""

    ping_interval: int
    """From the opening, or a pong, to the next ping."""
    ping_timeout: int
    """From a ping to the end, if no pong comes."""
    max_payload: int
    """What a client may send at once; 0 for no bound."""


class Message(Struct, frozen=True):
    """For whatever speaks on the session."""

    data: bytes


class BinaryMessage(Struct, frozen=True):
    """The same, that was sent as bytes."""

    data: bytes


class Send(Struct, frozen=True):
    """A packet for the client, ahead of all that waits."""

    packet: bytes


class Switch(Struct, frozen=True):
    """The session is on the WebSocket from now on."""


class End(Struct, frozen=True):
    """The session is over."""

    reason: str


Action = Message | BinaryMessage | Send | Switch | End


class _Opening(Struct, rename="camel"):
    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int


class EngineSession:
    """The state of one session."""

    def __init__(self, sid: str, terms: Terms, transport: Transport, now_s: float) -> None:
        """`now_s` never goes back, here and below."""
        self.sid = sid
        self.terms = terms
        self.transport = transport
        self.is_over = False
        self.is_probed = False
        """Whether a WebSocket answered for this session, and may take it over."""
        self._ping_s = now_s + terms.ping_interval / 1000
        self._end_s: float | None = None
        """By when a pong has to come; None if none is waited for."""

    @property
    def next_s(self) -> float:
        """When `tick` is to be called."""
        return self._ping_s if self._end_s is None else self._end_s

    def opening(self) -> bytes:
        """The packet that comes first."""
        is_polling = self.transport is Transport.POLLING
        upgrades = (Transport.WEBSOCKET.value,) if is_polling else ()
        terms = self.terms
        opening = _Opening(
            self.sid, upgrades, terms.ping_interval, terms.ping_timeout, terms.max_payload
        )
        return OPEN + encode(opening)

    def tick(self, now_s: float) -> Send | End | None:
        """What is due by now."""
        if self.is_over or now_s < self.next_s:
            return None
        if self._end_s is None:
            self._end_s = self._ping_s + self.terms.ping_timeout / 1000
            return Send(PING)
        return self._end(f"no pong within {self.terms.ping_timeout} ms")

    def receive(self, packet: bytes, now_s: float) -> Action | None:
        """Take one packet of a text in. Raises Breach."""
        match packet[:1]:
            case b"4":
                return Message(packet[1:])
            case b"3":
                self._end_s = None
                self._ping_s = now_s + self.terms.ping_interval / 1000
            case b"1":
                return self._end("the client closed the session")
            case b"6":
                pass
            case b"b" if self.transport is Transport.POLLING:
                return BinaryMessage(_from_base64(packet[1:]))
            case b"0" | b"2" | b"5":
                raise Breach(f"a packet of type {packet[:1].decode()} is not for clients to send")
            case kind:
                raise Breach(f"no packet of type {kind!r}")
        return None

    def receive_on_probe(self, packet: bytes) -> Send | Switch:
        """Take in a packet of the WebSocket that wants to take the session over. Raises Breach, which
        ends that WebSocket and leaves the session as it is.
        """
        if packet == PING + PROBE and not self.is_probed:
            self.is_probed = True
            return Send(PONG + PROBE)
        if packet == UPGRADE and self.is_probed:
            self.is_probed = False
            self.transport = Transport.WEBSOCKET
            return Switch()
        raise Breach("an upgrade is 2probe and, once that is answered, 5")

    def end(self) -> None:
        """Whatever may still be due is not."""
        self.is_over = True

    def _end(self, reason: str) -> End:
        self.is_over = True
        return End(reason)


def split_payload(payload: bytes) -> list[bytes]:
    """The packets of one POST."""
    return payload.split(SEPARATOR)


def join_payload(packets: Iterable[bytes]) -> bytes:
    """What a GET is answered with."""
    return SEPARATOR.join(packets)


def binary_packet(data: bytes) -> bytes:
    """A binary message as it stands in a payload."""
    return BINARY + b64encode(data)


def binary_of(packet: bytes) -> bytes | None:
    """The binary message in a packet of our own; None if it is a text."""
    return b64decode(packet[1:]) if packet.startswith(BINARY) else None


def _from_base64(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Breach(f"a binary message that is no base64: {error}") from None
