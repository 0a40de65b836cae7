"""One stream: its readers, and when it may push next."""

from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.push import Push


class Stream:
    """A channel that someone reads. Belongs to the hub."""

    __slots__ = ("changed", "channel", "next_push_s", "readers")

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.readers: dict[Outbox, None] = {}
        """A set that keeps its order."""
        self.changed = False
        """Whether something was changed that no push has told yet."""
        self.next_push_s = 0.0
        """On the hub's clock, when changes may be pushed again."""

    def spread(self, push: Push) -> None:
        """Hand one push to every reader."""
        for outbox in tuple(self.readers):
            outbox.offer(push)
