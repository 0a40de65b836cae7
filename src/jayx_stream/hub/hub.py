"""Hub: who listens to what, and when which stream pushes. Pure: time comes in as an argument.

Rules: a change is encoded once per stream, however many read it; a stream that nobody reads costs
one look-up; no stream pushes its state more often than its interval allows.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from jayx_stream.hub.outbox import Outbox
from jayx_stream.hub.stream import Stream
from jayx_stream.wire.channels import Channel, Topic
from jayx_stream.wire.push import Push


class Source(Protocol):
    """Whom the hub asks for what it spreads."""

    def present(self, channel: Channel) -> Push:
        """The channel's state as it is now."""
        ...

    def history(self, channel: Channel, limit: int) -> Sequence[Push]:
        """At most `limit` pushes that come before the present one, oldest first."""
        ...


class Hub:
    """All streams that have readers."""

    def __init__(self, source: Source, intervals_s: Mapping[str, float]) -> None:
        """`intervals_s`: by event, the least time between two pushes of one stream's state; for
        events that are not named there is none.
        """
        self._source = source
        self._intervals_s = intervals_s
        self._streams: dict[Channel, Stream] = {}
        self._topics: dict[Topic, dict[Channel, Stream]] = {}
        self._changed: dict[Stream, None] = {}
        self._read_by: dict[Outbox, set[Channel]] = {}

    def subscribe(
        self, outbox: Outbox, channel: Channel, history: int = 0, *, now_s: float
    ) -> None:
        """Make `outbox` a reader, and give it the present state: at once, and again if it was one."""
        stream = self._streams.get(channel)
        if stream is None:
            stream = self._streams[channel] = Stream(channel)
            self._topics.setdefault(channel.topic, {})[channel] = stream
            stream.next_push_s = now_s + self._interval_s(channel)
        stream.readers[outbox] = None
        self._read_by.setdefault(outbox, set()).add(channel)
        for push in self._source.history(channel, history):
            outbox.offer(push)
        outbox.offer(self._source.present(channel))

    def unsubscribe(self, outbox: Outbox, channel: Channel) -> None:
        """End one subscription, if there is one."""
        channels = self._read_by.get(outbox, set())
        if channel in channels:
            channels.remove(channel)
            self._forget(outbox, channel)

    def leave(self, outbox: Outbox) -> None:
        """End all of a reader's subscriptions."""
        for channel in self._read_by.pop(outbox, set()):
            self._forget(outbox, channel)

    def stream(self, channel: Channel) -> Stream | None:
        """The channel's stream, if anyone reads it."""
        return self._streams.get(channel)

    def streams(self, topic: Topic) -> Sequence[Stream]:
        """All streams of a topic that anyone reads."""
        streams = self._topics.get(topic)
        return () if streams is None else tuple(streams.values())

    def touch(self, topic: Topic) -> None:
        """Something of the topic changed: its streams push their state when they next may."""
        streams = self._topics.get(topic)
        if streams is not None:
            for stream in streams.values():
                stream.changed = True
                self._changed[stream] = None

    def flush(self, now_s: float) -> float | None:
        """Push the state of all changed streams that may push by now. Give the time at which the
        next one may, None if none waits.
        """
        next_s: float | None = None
        for stream in tuple(self._changed):
            if not stream.changed or not stream.readers:
                self._changed.pop(stream, None)
            elif stream.next_push_s <= now_s:
                self._changed.pop(stream)
                self._push_state(stream, now_s)
            elif next_s is None or stream.next_push_s < next_s:
                next_s = stream.next_push_s
        return next_s

    def _push_state(self, stream: Stream, now_s: float) -> None:
        stream.changed = False
        stream.next_push_s = now_s + self._interval_s(stream.channel)
        stream.spread(self._source.present(stream.channel))

    def _interval_s(self, channel: Channel) -> float:
        return self._intervals_s.get(channel.event, 0.0)

    def _forget(self, outbox: Outbox, channel: Channel) -> None:
        stream = self._streams[channel]
        del stream.readers[outbox]
        if not stream.readers:
            del self._streams[channel]
            del self._topics[channel.topic][channel]
            if not self._topics[channel.topic]:
                del self._topics[channel.topic]
            self._changed.pop(stream, None)
