"""The raw door: requests and pushes on a WebSocket, one JSON text a message (protocol §3)."""

from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from jayx_stream.doors.conversation import Conversation, outbox
from jayx_stream.doors.counts import Side
from jayx_stream.doors.speaking import Speaker, WebSocket
from jayx_stream.doors.visitors import Visitors
from jayx_stream.wire.push import Encoding


def _frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)


ENVELOPED = Encoding(_frame, envelope=True)
BARE = Encoding(_frame, envelope=False)
"""For `/?envelope=none`: pushes are the documented payload alone."""


class RawDoor:
    """All clients that send requests as they are."""

    def __init__(self) -> None:
        self.visitors = Visitors("websocket")

    def welcome(self, connection: WebSocket, request: Request) -> Speaker:
        """See `speaking.Door`. Everyone is."""
        return RawSpeaker(self.visitors, connection, request)

    def is_asked_by_client(self, method: str, query: bytes) -> bool:
        """See `speaking.Door`. Clients have their WebSocket."""
        return False


class RawSpeaker:
    """One client of the raw door."""

    takes_binary = False
    watches_silence = False

    def __init__(self, visitors: Visitors, connection: WebSocket, request: Request) -> None:
        query = parse_qs(urlsplit(request.path).query)
        encoding = BARE if query.get("envelope") == ["none"] else ENVELOPED
        venue = connection.venue
        self._visitors = visitors
        self.address = connection.address
        self._outbox = outbox(connection.write, connection.close, encoding, venue)
        self._outbox.descriptor = connection.descriptor
        self._conversation = Conversation(venue, self._outbox, connection.address, connection.close)
        self.key_ids = self._conversation.key_ids
        self.receive_text = self._conversation.receive
        self.take_no_more = self._conversation.take_no_more
        self.tell = self._conversation.tell
        self.pause = self._outbox.pause
        self.resume = self._outbox.resume
        self.drain = self._outbox.drain

    @property
    def waiting_bytes(self) -> int:
        """See `visitors.Visitor`."""
        return self._outbox.waiting_bytes

    @property
    def is_owed(self) -> bool:
        """See `speaking.Connection`."""
        return self._conversation.is_owed

    def begin(self) -> None:
        """See `Speaker`. The client speaks first."""
        self._visitors.enter(self)

    def receive_binary(self, data: bytes) -> None:
        """See `Speaker`."""
        raise AssertionError("no binary message is taken")

    def leave(self) -> None:
        """See `Speaker`."""
        self._conversation.leave()
        self._outbox.close()

    def gone(self, code: int, by: Side) -> None:
        """See `Speaker`."""
        self._visitors.leave(self, code, by)
