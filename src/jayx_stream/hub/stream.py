"""One stream: its readers, and when it may push next."""

from jayx_stream.hub.counts import StreamCounts
from jayx_stream.hub.outbox import Outbox, bring_to_all
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.delta import change
from jayx_stream.wire.push import Encoding, Push


class Stream:
    """A channel that someone reads. Belongs to the hub."""

    __slots__ = (
        "_counts",
        "_readers",
        "_turn",
        "changed",
        "channel",
        "held",
        "next_push_s",
        "readers",
    )

    def __init__(self, channel: Channel, counts: StreamCounts, turn: Turn) -> None:
        """`turn`: of the loop that all readers are written on."""
        self.channel = channel
        self._readers: dict[Encoding, dict[Outbox, None]] = {}
        """Sets that keep their order, none of them empty."""
        self.readers = 0
        """How many there are."""
        self.changed = False
        """Whether something was changed that no push has told yet."""
        self.next_push_s = 0.0
        """On the hub's clock, when changes may be pushed again."""
        self.held: Push | None = None
        """Of a stream of changes: the whole state that its readers hold, once they have read what is
        theirs. A new reader is given just this, so that the next change is the next one for all.
        """
        self._counts = counts
        self._turn = turn

    def take_in(self, outbox: Outbox) -> None:
        """Make `outbox` a reader, once."""
        readers = self._readers.setdefault(outbox.encoding, {})
        if outbox not in readers:
            readers[outbox] = None
            self.readers += 1

    def let_go(self, outbox: Outbox) -> None:
        """End a reader's part."""
        readers = self._readers[outbox.encoding]
        del readers[outbox]
        self.readers -= 1
        if not readers:
            del self._readers[outbox.encoding]

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
        counts = self._counts
        counts.pushes += self.readers
        # Copies: a reader for whom this is too much leaves meanwhile.
        for encoding, readers in tuple(self._readers.items()):
            frame = push.frame(encoding)
            counts.bytes += len(frame) * len(readers)
            bring_to_all(tuple(readers), frame, push, self._turn)
