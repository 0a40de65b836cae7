"""Socket.IO v5 without a socket: packets, and one client's namespaces and events (protocol §8).

Rule: every count that a client writes is bounded before anything is kept for it. What is no
Socket.IO raises `Breach`, as in `engineio`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import IntEnum

import msgspec
from msgspec import UNSET, Raw, Struct

from jayx_stream.wire.engineio import MESSAGE, SEPARATOR, Breach
from jayx_stream.wire.messages import Ack, Answer, ErrorAnswer, ErrorMessage, Pong, encode
from jayx_stream.wire.push import Encoding, Framing, Push

NAMESPACE_CHARACTERS_MAX = 64
ACK_ID_DIGITS_MAX = 15
"""No more than JavaScript can count."""
CONNECTS_MAX = 10
"""Of one client, whether they are granted or not."""

MAIN = "/"

_EVENT = MESSAGE + b"2"
_ACK = MESSAGE + b"3"
_ENVELOPED = Encoding(bytes, envelope=True)


class PacketType(IntEnum):
    """The digit that a packet begins with."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


class Packet(Struct, frozen=True):
    """One packet; its attachments come after it."""

    type: PacketType
    namespace: str = MAIN
    id: int | None = None
    attachments: int = 0
    data: Raw | None = None
    """JSON."""

    def text(self) -> bytes:
        """As an Engine.IO packet."""
        counted = f"{self.attachments}-" if self.type >= PacketType.BINARY_EVENT else ""
        namespace = "" if self.namespace == MAIN else f"{self.namespace},"
        number = "" if self.id is None else str(self.id)
        head = f"{self.type.value}{counted}{namespace}{number}".encode()
        return MESSAGE + head + (b"" if self.data is None else bytes(self.data))


class Send(Struct, frozen=True):
    """A packet for the client."""

    packet: bytes


class Connected(Struct, frozen=True):
    """The client is in a namespace, with what it said of itself."""

    namespace: str
    auth: Raw


class Disconnected(Struct, frozen=True):
    """The client left a namespace."""

    namespace: str


class Event(Struct, frozen=True):
    """The client emitted an event."""

    namespace: str
    name: Raw
    """A string, as JSON."""
    arguments: Sequence[Raw]
    id: int | None
    """Under which the client wants an acknowledgement."""
    attachments: tuple[bytes, ...] = ()


Action = Send | Connected | Disconnected | Event


def read_packet(text: bytes, attachments_max: int) -> Packet:
    """Read the text of one packet. Raises Breach."""
    kind, at = text[:1], 1
    if kind not in b"0123456" or not kind:
        raise Breach(f"no Socket.IO packet of type {kind!r}")
    type, attachments = PacketType(int(kind)), 0
    if type >= PacketType.BINARY_EVENT:
        count = _digits(text, at, len(str(attachments_max)))
        at += len(count) + 1
        if not count or text[at - 1 : at] != b"-":
            raise Breach(f"attachments are up to {attachments_max}, counted before a -")
        attachments = int(count)
        if attachments > attachments_max:
            raise Breach(f"{attachments} attachments; {attachments_max} are taken")
    namespace = MAIN
    if text[at : at + 1] == b"/":
        namespace, at = _namespace(text, at)
    number = _digits(text, at, ACK_ID_DIGITS_MAX)
    at += len(number)
    data = None if at == len(text) else _json(text[at:])
    return Packet(type, namespace, int(number) if number else None, attachments, data)


class SocketSession:
    """The state of one client: the namespaces it is in."""

    def __init__(
        self, namespaces: Collection[str], new_sid: Callable[[], str], *, attachments_max: int
    ) -> None:
        """`namespaces` are those that there are; `new_sid` gives a name to a connect."""
        self._namespaces = namespaces
        self._new_sid = new_sid
        self._attachments_max = attachments_max
        self._connects = 0
        self._joined: set[str] = set()
        self._pending: Packet | None = None
        """What waits for its attachments."""
        self._attachments: list[bytes] = []

    def receive(self, text: bytes) -> Iterator[Action]:
        """Take one message in. Raises Breach."""
        if self._pending is not None:
            raise Breach("a text where an attachment was to come")
        packet = read_packet(text, self._attachments_max)
        if packet.type is PacketType.CONNECT:
            yield from self._connect(packet)
            return
        if packet.namespace not in self._joined:
            raise Breach(f"not connected to {packet.namespace}")
        match packet.type:
            case PacketType.DISCONNECT:
                self._joined.discard(packet.namespace)
                yield Disconnected(packet.namespace)
            case (
                PacketType.EVENT | PacketType.ACK | PacketType.BINARY_EVENT | PacketType.BINARY_ACK
            ):
                _arguments(packet)
                if packet.attachments:
                    self._pending = packet
                else:
                    yield from _event(packet, ())
            case _:
                raise Breach(f"a packet of type {packet.type.value} is not for clients to send")

    def receive_attachment(self, data: bytes) -> Iterator[Action]:
        """Take one binary message in. Raises Breach."""
        if self._pending is None:
            raise Breach("an attachment that no packet counted")
        self._attachments.append(data)
        if len(self._attachments) == self._pending.attachments:
            packet, attachments = self._pending, tuple(self._attachments)
            self._pending = None
            self._attachments.clear()
            yield from _event(packet, attachments)

    def _connect(self, packet: Packet) -> Iterator[Action]:
        self._connects += 1
        if self._connects > CONNECTS_MAX:
            raise Breach(f"more than {CONNECTS_MAX} connects")
        namespace = packet.namespace
        if namespace in self._joined:
            raise Breach(f"connected to {namespace} already")
        auth = Raw(b"{}") if packet.data is None else packet.data
        if not bytes(auth).startswith(b"{") or packet.id is not None:
            raise Breach("a connect carries an object, and nothing else")
        if namespace not in self._namespaces:
            error = Raw(b'{"message":"Invalid namespace"}')
            yield Send(Packet(PacketType.CONNECT_ERROR, namespace, data=error).text())
            return
        self._joined.add(namespace)
        sid = Raw(encode({"sid": self._new_sid()}))
        yield Send(Packet(PacketType.CONNECT, namespace, data=sid).text())
        yield Connected(namespace, auth)


class SocketEncoding(Encoding):
    """Pushes as events: the payload first, then the rest of the envelope. Answers as acknowledgements
    and events.
    """

    def __init__(
        self, framing: Framing, separator: bytes = b"", deflating: Framing | None = None
    ) -> None:
        """`framing` and `deflating` take one Engine.IO packet; `separator` stands between two."""
        super().__init__(framing, envelope=True, deflating=deflating)
        self.separator = separator

    def frame(self, packet: bytes) -> bytes:
        """The bytes of one packet of ours."""
        return self._framing(packet)

    def reframe(self, waiting: bytes) -> bytes:
        """What waits as packets of a payload, as this encoding has it."""
        return self.separator.join(map(self._framing, waiting.split(SEPARATOR)))

    def encode(self, push: Push, merged: int) -> bytes:
        """See `Encoding`."""
        name = encode(push.event)
        envelope = _ENVELOPED.encode(push, merged)
        rest = envelope[len(b'{"event":,"message":,') + len(name) + len(push.payload) :]
        text = _EVENT + b"[" + name + b"," + push.payload + b",{" + rest + b"]"
        return self._framed(text, push, merged)

    def reply(self, answer: Answer) -> bytes:
        """See `Encoding`."""
        return self.separator.join(map(self._framing, _packets(answer)))


PACKETS = SocketEncoding(bytes, SEPARATOR)
"""For polling: the packets of a payload."""


def request_text(event: Event) -> bytes:
    """An event as a request of the raw door (protocol §3). What follows the first argument is passed
    over.
    """
    text = b'{"event":' + bytes(event.name)
    if event.arguments:
        text += b',"message":' + bytes(event.arguments[0])
    if event.id is not None:
        text += b',"id":%d' % event.id
    return text + b"}"


def _packets(answer: Answer) -> Iterator[bytes]:
    """An answer's packets: for the callback, if the client gave one, and for those who listen."""
    match answer:
        case Ack():
            yield _ack(answer.id, answer.message)
        case ErrorAnswer():
            message = answer.message
            if answer.id is not UNSET:
                yield _ack(answer.id, {"error": ErrorMessage(message.code, message.reason)})
            yield _event_of(answer.event, message)
        case Pong():
            if answer.id is not UNSET:
                yield _ack(answer.id, {"ts": answer.ts})
            yield _event_of(answer.event, {"ts": answer.ts})
        case _:
            yield _event_of(answer.event, answer.message)


def _event_of(name: str, message: object) -> bytes:
    return _EVENT + encode((name, message))


def _ack(id: int | str, message: object) -> bytes:
    return _ACK + str(id).encode() + encode((message,))


def _event(packet: Packet, attachments: tuple[bytes, ...]) -> Iterator[Event]:
    """The event that a packet tells of. Acknowledgements tell nothing: none was asked for."""
    if packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
        name, *arguments = _arguments(packet)
        yield Event(packet.namespace, name, arguments, packet.id, attachments)


def _arguments(packet: Packet) -> list[Raw]:
    """The parts of an event or acknowledgement; an event's first is a string. Raises Breach."""
    is_event = packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT)
    if packet.data is None:
        raise Breach("an event without a name" if is_event else "an acknowledgement of nothing")
    try:
        arguments = msgspec.json.decode(packet.data, type=list[Raw])
    except msgspec.DecodeError:
        raise Breach("the data of an event or acknowledgement is an array") from None
    if is_event and not (arguments and bytes(arguments[0]).startswith(b'"')):
        raise Breach("an event begins with its name")
    return arguments


def _namespace(text: bytes, at: int) -> tuple[str, int]:
    """The namespace that begins at `at`, and where the rest begins."""
    comma = text.find(b",", at, at + NAMESPACE_CHARACTERS_MAX + 1)
    end = len(text) if comma < 0 else comma
    if end - at > NAMESPACE_CHARACTERS_MAX:
        raise Breach(f"a namespace has at most {NAMESPACE_CHARACTERS_MAX} characters")
    return text[at:end].decode(), end + (comma >= 0)


def _digits(text: bytes, at: int, most: int) -> bytes:
    """The digits at `at`; one more than `most` is a breach."""
    end = at
    while text[end : end + 1].isdigit():
        end += 1
        if end - at > most:
            raise Breach(f"a number of more than {most} digits")
    return text[at:end]


def _json(text: bytes) -> Raw:
    try:
        return msgspec.json.decode(text, type=Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Breach("what follows a packet's head is no JSON") from None
    except RecursionError:
        raise Breach("the packet is nested too deeply") from None
