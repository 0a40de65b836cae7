"""The raw door: requests and pushes on a WebSocket, one JSON text a message (protocol §3)."""

from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request

from jayx_stream.doors.conversation import Conversation, outbox, too_slow
from jayx_stream.doors.counts import Side
from jayx_stream.doors.deflate import deflated_frame, text_frame
from jayx_stream.doors.speaking import Speaker, WebSocket
from jayx_stream.doors.visitors import Visitors
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.push import Encoding

ENVELOPED = Encoding(text_frame, envelope=True)
BARE = Encoding(text_frame, envelope=False)
"""For `/?envelope=none`: pushes are the documented payload alone."""

DEFLATED_ENVELOPED = Encoding(text_frame, envelope=True, deflating=deflated_frame)
DEFLATED_BARE = Encoding(text_frame, envelope=False, deflating=deflated_frame)
"""The same, for those who take compressed frames."""


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

    __slots__ = ("_connection", "_conversation", "_outbox", "_visitors", "address")

    takes_binary = False
    watches_silence = False

    def __init__(self, visitors: Visitors, connection: WebSocket, request: Request) -> None:
        query = parse_qs(urlsplit(request.path).query)
        is_bare = query.get("envelope") == ["none"]
        if connection.takes_deflated:
            encoding = DEFLATED_BARE if is_bare else DEFLATED_ENVELOPED
        else:
            encoding = BARE if is_bare else ENVELOPED
        self._visitors = visitors
        self._connection = connection
        self.address = connection.address
        self._outbox = outbox(connection.write, self.give_up, encoding, connection.venue)
        self._outbox.reach(connection.descriptor)
        self._conversation = Conversation(self._outbox, connection)

    @property
    def waiting_bytes(self) -> int:
        """See `visitors.Visitor`."""
        return self._outbox.waiting_bytes

    @property
    def key_ids(self) -> Collection[str]:
        """See `visitors.Visitor`."""
        return self._conversation.key_ids

    @property
    def is_owed(self) -> bool:
        """See `speaking.Connection`."""
        return self._conversation.is_owed

    def begin(self) -> None:
        """See `Speaker`. The client speaks first."""
        self._visitors.enter(self)

    def receive_text(self, text: bytes) -> None:
        """See `Speaker`."""
        self._conversation.receive(text)

    def receive_binary(self, data: bytes) -> None:
        """See `Speaker`."""
        raise AssertionError("no binary message is taken")

    def take_no_more(self) -> None:
        """See `Speaker`."""
        self._conversation.take_no_more()

    def pause(self) -> None:
        """See `Speaker`."""
        self._outbox.pause()

    def resume(self) -> None:
        """See `Speaker`."""
        self._outbox.resume()

    def drain(self) -> None:
        """See `Speaker`."""
        self._outbox.drain()

    def tell(self, answer: Answer) -> None:
        """See `Speaker`."""
        self._conversation.tell(answer)

    def give_up(self) -> None:
        """Say goodbye to a client who reads too slowly."""
        self._connection.close(*too_slow(self._connection.venue))

    def leave(self) -> None:
        """See `Speaker`."""
        self._conversation.leave()
        self._outbox.close()

    def gone(self, code: int, by: Side) -> None:
        """See `Speaker`."""
        self._visitors.leave(self, code, by)
