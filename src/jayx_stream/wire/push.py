"""Push: one change of one stream on its way to all of the stream's readers.

Rule: it is encoded once per encoding, however many readers it has, and they all get the same bytes.
"""

from collections.abc import Callable, Hashable

from msgspec import UNSET, Raw

from jayx_stream.wire.messages import Answer, Envelope, encode

Framing = Callable[[bytes], bytes]
"""From a message's text to what a door writes."""


class Push:
    """A payload and what its envelope says. Made by the hub; its content never changes."""

    __slots__ = (
        "_frames",
        "event",
        "merge_key",
        "payload",
        "reset",
        "seq",
        "stream",
        "trade",
        "ts_ms",
    )

    def __init__(
        self,
        event: str,
        stream: str,
        seq: int,
        ts_ms: int,
        payload: bytes,
        *,
        merge_key: Hashable | None = None,
        trade: int | None = None,
        reset: bool = False,
    ) -> None:
        """`merge_key`: a later push with the same key makes this one needless to a slow reader;
        None if it has to reach every reader. `reset`: it stands in place of changes that its reader
        asked for and can't be given.
        """
        self.event = event
        self.stream = stream
        self.seq = seq
        self.ts_ms = ts_ms
        self.payload = payload
        self.merge_key = merge_key
        self.trade = trade
        self.reset = reset
        self._frames: dict[Encoding, bytes] = {}

    def frame(self, encoding: "Encoding", merged: int = 0) -> bytes:
        """The bytes for readers of this encoding; `merged` earlier pushes went into this one."""
        if merged:
            return encoding.encode(self, merged)
        frame = self._frames.get(encoding)
        if frame is None:
            frame = self._frames[encoding] = encoding.encode(self, 0)
        return frame


class Encoding:
    """How pushes reach one kind of reader: with or without the envelope, framed as its door does."""

    def __init__(self, framing: Framing, *, envelope: bool) -> None:
        self._framing = framing
        self._envelope = envelope

    def encode(self, push: Push, merged: int) -> bytes:
        """The bytes of one push. `Push.frame` remembers them."""
        if not self._envelope:
            return self._framing(push.payload)
        envelope = Envelope(
            push.event,
            Raw(push.payload),
            push.stream,
            push.seq,
            push.ts_ms,
            merged,
            UNSET if push.trade is None else push.trade,
            push.reset,
        )
        return self._framing(encode(envelope))

    def reply(self, answer: Answer) -> bytes:
        """The bytes of an answer to one client."""
        return self._framing(encode(answer))
