"""A reader on its way from a commit that it knows to the present of a channel."""

from collections.abc import Callable

from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.push import Push


class CatchUp:
    """Made by the hub when a reader resumes; whoever brings it up moves `seq` on as it tells."""

    __slots__ = ("_offer", "channel", "is_over", "outbox", "seq")

    def __init__(
        self, outbox: Outbox, channel: Channel, seq: int, offer: Callable[[Outbox, Push], None]
    ) -> None:
        """`offer` is the hub's way to hand a push to one reader."""
        self.outbox = outbox
        self._offer = offer
        self.channel = channel
        self.seq = seq
        """All changes up to this commit are told."""
        self.is_over = False
        """Caught up, or the reader wants no more."""

    def tell(self, push: Push | None, seq: int) -> None:
        """The next change, None if the channel has no part in it, is that of commit `seq`."""
        assert not self.is_over, f"{self.channel.name} has been left or joined"
        assert seq > self.seq, f"commit {seq} after {self.seq}"
        self.seq = seq
        if push is not None:
            self._offer(self.outbox, push)
