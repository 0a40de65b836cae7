"""One stream: its readers, and when it may push next."""

from jayx_stream.hub.counts import StreamCounts
from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.delta import change
from jayx_stream.wire.push import Encoding, Push


class Stream:
    """A channel that someone reads. Belongs to the hub."""

    __slots__ = ("_counts", "_encodings", "changed", "channel", "held", "next_push_s", "readers")

    def __init__(self, channel: Channel, counts: StreamCounts) -> None:
        self.channel = channel
        self.readers: dict[Outbox, None] = {}
        """A set that keeps its order."""
        self.changed = False
        """Whether something was changed that no push has told yet."""
        self.next_push_s = 0.0
        """On the hub's clock, when changes may be pushed again."""
        self.held: Push | None = None
        """Of a stream of changes: the whole state that its readers hold, once they have read what is
        theirs. A new reader is given just this, so that the next change is the next one for all.
        """
        self._encodings: dict[Encoding, int] = {}
        """How many readers each has; at least 1."""
        self._counts = counts

    def take_in(self, outbox: Outbox) -> None:
        """Make `outbox` a reader, once."""
        if outbox not in self.readers:
            self.readers[outbox] = None
            self._encodings[outbox.encoding] = self._encodings.get(outbox.encoding, 0) + 1

    def let_go(self, outbox: Outbox) -> None:
        """End a reader's part."""
        del self.readers[outbox]
        self._encodings[outbox.encoding] -= 1
        if not self._encodings[outbox.encoding]:
            del self._encodings[outbox.encoding]

    def take(self, whole: Push) -> Push | None:
        """What readers are told of a new state: the whole, or what changed; None if nothing did."""
        if whole.state is None:
            return whole
        assert self.held is not None, f"nobody was given the state of {self.channel.name}"
        told = change(self.held, whole, self._newest)
        if told is not None:
            self.held = whole
        return told

    def _newest(self) -> Push:
        assert self.held is not None, f"nobody was given the state of {self.channel.name}"
        return self.held

    def spread(self, push: Push) -> None:
        """Hand one push to every reader."""
        self._counts.pushes += len(self.readers)
        for encoding, readers in self._encodings.items():
            self._counts.bytes += len(push.frame(encoding)) * readers
        for outbox in tuple(self.readers):
            outbox.offer(push)
