"""One stream: its readers, and when it may push next."""

from jayx_stream.hub.counts import StreamCounts
from jayx_stream.hub.crowd import Crowd
from jayx_stream.hub.outbox import Outbox
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.delta import change
from jayx_stream.wire.push import Encoding, Push


class Stream:
    """A channel that someone reads. Belongs to the hub."""

    __slots__ = (
        "_counts",
        "_crowds",
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
        self._crowds: dict[tuple[Encoding, bool], Crowd] = {}
        """By encoding, and whether they have a descriptor; none of them is empty."""
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
        key = outbox.encoding, outbox.descriptor >= 0
        crowd = self._crowds.get(key)
        if crowd is None:
            crowd = self._crowds[key] = Crowd(outbox.encoding, self._turn)
        self.readers += crowd.take_in(outbox)

    def let_go(self, outbox: Outbox) -> None:
        """End a reader's part."""
        key = outbox.encoding, outbox.descriptor >= 0
        crowd = self._crowds[key]
        crowd.let_go(outbox)
        self.readers -= 1
        if not crowd:
            del self._crowds[key]

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
        # A copy: a reader for whom this is too much leaves meanwhile.
        for (encoding, _), crowd in tuple(self._crowds.items()):
            frame = push.frame(encoding)
            counts.bytes += len(frame) * len(crowd)
            crowd.spread(frame, push)
