"""Push: one change of one stream on its way to all of the stream's readers.

Rule: it is encoded once per encoding, however many readers it has, and they all get the same bytes.
"""

from collections.abc import Callable, Hashable

from msgspec import UNSET, Raw

from jayx_stream.model.views import Orderbook
from jayx_stream.wire.channels import PUBLIC_EVENTS
from jayx_stream.wire.messages import Answer, Envelope, encode

Framing = Callable[[bytes], bytes]
"""From a message's text to what a door writes."""

DEFLATED_BYTES_MIN = 300
"""Of a text that is worth compressing. Below, less than 120 bytes are saved, and nothing is where what is
written fits a packet anyway; books are larger, klines are not.
"""

FRAMES_KEPT = 16
"""Of one push. Readers who fell behind together are merged alike, and share one; whom nobody is like gets
one of his own.
"""


class Push:
    """A payload and what its envelope says. Made by the hub; its content never changes."""

    __slots__ = (
        "_frames",
        "_payload",
        "checksum",
        "event",
        "merge_key",
        "prev",
        "reset",
        "seq",
        "state",
        "stream",
        "trade",
        "ts_ms",
        "whole",
    )

    def __init__(
        self,
        event: str,
        stream: str,
        seq: int,
        ts_ms: int,
        payload: bytes | Callable[[], bytes],
        *,
        merge_key: Hashable | None = None,
        trade: int | None = None,
        reset: bool = False,
        state: Orderbook | None = None,
        checksum: int | None = None,
        prev: int | None = None,
        whole: Callable[[], "Push"] | None = None,
    ) -> None:
        """`payload`: JSON; or what gives it, if perhaps nobody is told it, and then only what changed.

        `merge_key`: a later push with the same key makes this one needless to a slow reader;
        None if it has to reach every reader. `reset`: it stands in place of changes that its reader
        asked for and can't be given.

        Of a stream of changes: `state` is what a whole push tells, `prev` the seq of the push that a
        change follows on, `checksum` that of the state which its reader holds then, and `whole` gives
        what a slow reader gets in place of this change and of those before it.
        """
        self.event = event
        self.stream = stream
        self.seq = seq
        self.ts_ms = ts_ms
        self._payload = payload
        self.merge_key = merge_key
        self.trade = trade
        self.reset = reset
        self.state = state
        self.checksum = checksum
        self.prev = prev
        self.whole = whole
        self._frames: dict[tuple[Encoding, int], bytes] = {}
        """By encoding, and how many pushes went in."""

    @property
    def payload(self) -> bytes:
        """What is told, as JSON."""
        if not isinstance(self._payload, bytes):
            self._payload = self._payload()
        return self._payload

    def frame(self, encoding: "Encoding", merged: int = 0) -> bytes:
        """The bytes for readers of this encoding; `merged` earlier pushes went into this one, so
        that of a change the whole is given.
        """
        if merged and self.whole is not None:
            return self.whole().frame(encoding, merged)
        frame = self._frames.get((encoding, merged))
        if frame is None:
            frame = encoding.encode(self, merged)
            if not merged or len(self._frames) < FRAMES_KEPT:
                self._frames[encoding, merged] = frame
        return frame


class Encoding:
    """How pushes reach one kind of reader: with or without the envelope, framed as its door does."""

    separator = b""
    """Stands between two frames that are written in one go."""

    def __init__(
        self, framing: Framing, *, envelope: bool, deflating: Framing | None = None
    ) -> None:
        """`deflating`: a framing that compresses, if these readers take compressed frames."""
        self._framing = framing
        self._envelope = envelope
        self._deflating = deflating

    def encode(self, push: Push, merged: int) -> bytes:
        """The bytes of one push. `Push.frame` remembers them."""
        if not self._envelope:
            return self._framed(push.payload, push, merged)
        envelope = Envelope(
            push.event,
            Raw(push.payload),
            push.stream,
            push.seq,
            push.ts_ms,
            merged,
            UNSET if push.trade is None else push.trade,
            push.reset,
            UNSET if push.prev is None else push.prev,
            UNSET if push.checksum is None else push.checksum,
        )
        return self._framed(encode(envelope), push, merged)

    def _framed(self, text: bytes, push: Push, merged: int) -> bytes:
        """A push's text, compressed if that serves many at once and tells nobody anything: what stands
        beside a secret, and is another's to choose, would find it out by how long both become together.
        A push that stands for others is few readers' alone, and being slow is not to cost the rest.
        """
        deflating, is_public = self._deflating, push.event in PUBLIC_EVENTS
        if deflating is None or not is_public or merged or len(text) < DEFLATED_BYTES_MIN:
            return self._framing(text)
        return deflating(text)

    def reply(self, answer: Answer) -> bytes:
        """The bytes of an answer to one client."""
        return self._framing(encode(answer))
