"""The Socket.IO door: the requests and pushes of the raw door, as events (protocol §8).

Rule: it adds nothing to what the raw door says, and leaves nothing out.
"""

import asyncio
import secrets
from collections.abc import Collection
from weakref import proxy

from jayx_stream.doors.conversation import Conversation
from jayx_stream.doors.engine_client import EngineClient
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.messages import Answer
from jayx_stream.wire.socketio import (
    MAIN,
    Connected,
    Disconnected,
    Event,
    Send,
    SocketSession,
    request_text,
)

PATH = "/socket.io/"
SID_BYTES = 12


def new_sid() -> str:
    """A name for a connect; it is no secret."""
    return secrets.token_urlsafe(SID_BYTES)


class SocketSpeaker:
    """One client: an `Application` that takes text events in one namespace."""

    takes_binary = False

    def __init__(self, client: EngineClient) -> None:
        # Who has it. As a ring, only the garbage collector would free both.
        self._client: EngineClient = proxy(client)
        self._socket = SocketSession({MAIN}, new_sid, attachments_max=0)
        self._conversation: Conversation | None = None
        self._timer: asyncio.TimerHandle | None = None
        connect_within_s = client.venue.limits.handshake_s
        if connect_within_s:
            loop = asyncio.get_running_loop()
            reason = f"no connect within {connect_within_s} s"
            self._timer = loop.call_later(connect_within_s, client.close, CloseCode.POLICY, reason)

    @property
    def key_ids(self) -> Collection[str]:
        """See `Application`."""
        return () if self._conversation is None else self._conversation.key_ids

    @property
    def is_owed(self) -> bool:
        """See `Application`."""
        return self._conversation is not None and self._conversation.is_owed

    def receive(self, text: bytes) -> None:
        """See `Application`."""
        client = self._client
        actions = list(self._socket.receive(text))
        if not any(isinstance(action, Event) for action in actions):
            client.count_control()
        for action in actions:
            match action:
                case Send(packet):
                    client.send(packet)
                case Connected():
                    self._stop_waiting()
                    self._conversation = Conversation(client.outbox, client)
                case Disconnected():
                    assert self._conversation is not None, "a client not connected disconnects"
                    self._conversation.leave()
                    self._conversation = None
                case Event():
                    assert self._conversation is not None, "an event of a client not connected"
                    self._conversation.receive(request_text(action))

    def receive_binary(self, data: bytes) -> None:
        """See `Application`."""
        raise AssertionError("no binary message is taken")

    def tell(self, answer: Answer) -> None:
        """See `Application`. A client that is not connected yet would not understand it."""
        if self._conversation is not None:
            self._conversation.tell(answer)

    def leave(self) -> None:
        """See `Application`."""
        self._stop_waiting()
        if self._conversation is not None:
            self._conversation.leave()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
