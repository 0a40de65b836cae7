"""Hub: who listens to what, and when which stream pushes. Pure: time comes in as an argument.

Rules: a change is encoded once per stream, however many read it; a stream that nobody reads costs
one look-up; no stream pushes its state more often than its interval allows, and those that push all the
time do it together.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil
from typing import Protocol

from jayx_stream.hub.catch_up import CatchUp
from jayx_stream.hub.counts import Counts
from jayx_stream.hub.outbox import NO_DESCRIPTOR, Outbox
from jayx_stream.hub.stream import Stream
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.channels import Channel, Topic
from jayx_stream.wire.push import Encoding, Push

STEPS = 2
"""In an interval: streams that always change push in so many groups, and a client of twenty of them is
written to as often, rather than twenty times.
"""

LATE_PARTS = 8
"""A push may be late by this part of its interval, and the one after it still be on time."""

ROUNDING = 1e-6
"""Of a step, for what floats make of a sum."""


class Source(Protocol):
    """Whom the hub asks for what it spreads."""

    def present(self, channel: Channel, *, reset: bool = False) -> Push:
        """The channel's state as it is now; `reset`: in place of changes that can't be told."""
        ...

    def catch_up(self, reader: CatchUp) -> None:
        """Begin to tell a reader every change after its `seq`, then have the hub take it in by
        `join`, or `start_over` if not all of them are known; now, or later if it isn't over by then.
        """
        ...

    def history(self, channel: Channel, limit: int) -> Sequence[Push]:
        """At most `limit` pushes that come before the present one, oldest first."""
        ...


def _in_step(now_s: float, interval_s: float) -> float:
    """When a stream that pushes now may push again: after an interval, and together with others."""
    if not interval_s:
        return now_s
    step_s = interval_s / STEPS
    return ceil((now_s + interval_s) / step_s - ROUNDING) * step_s


class Hub:
    """All streams that have readers."""

    def __init__(self, source: Source, intervals_s: Mapping[str, float], turn: Turn) -> None:
        """`intervals_s`: by event, the least time between two pushes of one stream's state; for
        events that are not named there is none. `turn`: of the loop that all readers are written on.
        """
        self._source = source
        self._intervals_s = intervals_s
        self.turn = turn
        self._streams: dict[Channel, Stream] = {}
        self._topics: dict[Topic, dict[Channel, Stream]] = {}
        self._changed: dict[Stream, None] = {}
        self._read_by: dict[Outbox, dict[Channel, CatchUp | None]] = {}
        """None: the channel is read; else its reader is not there yet."""
        self.counts = Counts()
        self.flushed = 0
        """States that `flush` has pushed so far, each counted once for all its readers."""

    def all_streams(self) -> Collection[Stream]:
        """Every stream that anyone reads."""
        return self._streams.values()

    def subscribe(
        self,
        outbox: Outbox,
        channel: Channel,
        history: int = 0,
        *,
        now_s: float,
        reset: bool = False,
    ) -> None:
        """Make `outbox` a reader, and give it the present state: at once, and again if it was one.
        Of a stream of changes, the state that its readers hold. `reset`: the state says that it
        stands in place of changes.
        """
        stream = self._take_in(outbox, channel)
        if stream.readers == 1:
            stream.next_push_s = _in_step(now_s, self._interval_s(channel))
        for push in self._source.history(channel, history):
            self._offer(outbox, push)
        if stream.held is not None:
            self._offer(outbox, stream.held)
            return
        present = self._source.present(channel, reset=reset)
        if present.state is not None:
            stream.held = present
        self._offer(outbox, present)

    def resume(self, outbox: Outbox, channel: Channel, seq: int) -> None:
        """Make `outbox` a reader that gets every change after commit `seq`, each once and in order."""
        self.unsubscribe(outbox, channel)
        reader = CatchUp(outbox, channel, seq, self._offer)
        self._read_by.setdefault(outbox, {})[channel] = reader
        self._source.catch_up(reader)

    def join(self, reader: CatchUp) -> None:
        """The reader has been told all there is: what comes from now on reaches it as all others."""
        assert not reader.is_over, f"{reader.channel.name} has been left or joined"
        self._take_in(reader.outbox, reader.channel)

    def start_over(self, reader: CatchUp) -> None:
        """What the reader asked for can't be told: give it the present state, which says so."""
        assert not reader.is_over, f"{reader.channel.name} has been left or joined"
        self.subscribe(reader.outbox, reader.channel, now_s=0.0, reset=True)

    def unsubscribe(self, outbox: Outbox, channel: Channel) -> None:
        """End one subscription, if there is one."""
        channels = self._read_by.get(outbox, {})
        if channel in channels:
            self._forget(outbox, channel, channels.pop(channel))

    def leave(self, outbox: Outbox) -> None:
        """End all of a reader's subscriptions."""
        for channel, reader in self._read_by.pop(outbox, {}).items():
            self._forget(outbox, channel, reader)

    def switch(
        self,
        outbox: Outbox,
        write: Callable[[bytes], object],
        encoding: Encoding,
        reframe: Callable[[bytes], bytes],
        descriptor: int = NO_DESCRIPTOR,
    ) -> None:
        """Reach a reader another way from now on; see `Outbox.switch`."""
        channels = self._read_by.get(outbox, {})
        streams = [self._streams[each] for each, reader in channels.items() if reader is None]
        for stream in streams:
            stream.let_go(outbox)
        outbox.switch(write, encoding, reframe, descriptor)
        for stream in streams:
            stream.take_in(outbox)

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
        interval_s = self._interval_s(stream.channel)
        stream.changed = False
        if now_s - stream.next_push_s < interval_s / LATE_PARTS:
            # A change waited for it: the stream is in step, and stays so, however late the loop was.
            stream.next_push_s += interval_s
        else:
            stream.next_push_s = _in_step(now_s, interval_s)
        push = stream.take(self._source.present(stream.channel))
        if push is not None:
            self.flushed += 1
            stream.spread(push)

    def _take_in(self, outbox: Outbox, channel: Channel) -> Stream:
        channels = self._read_by.setdefault(outbox, {})
        reader = channels.get(channel)
        if reader is not None:
            reader.is_over = True
        channels[channel] = None
        stream = self._streams.get(channel)
        if stream is None:
            stream = self._streams[channel] = Stream(channel, self.counts[channel.event], self.turn)
            self._topics.setdefault(channel.topic, {})[channel] = stream
        stream.take_in(outbox)
        return stream

    def _offer(self, outbox: Outbox, push: Push) -> None:
        """Hand one reader what only he asked for."""
        counts = self.counts[push.event]
        counts.pushes += 1
        counts.bytes += len(push.frame(outbox.encoding))
        outbox.offer(push)

    def _interval_s(self, channel: Channel) -> float:
        return self._intervals_s.get(channel.event, 0.0)

    def _forget(self, outbox: Outbox, channel: Channel, reader: CatchUp | None) -> None:
        if reader is not None:
            reader.is_over = True
            return
        stream = self._streams[channel]
        stream.let_go(outbox)
        if not stream.readers:
            del self._streams[channel]
            del self._topics[channel.topic][channel]
            if not self._topics[channel.topic]:
                del self._topics[channel.topic]
            self._changed.pop(stream, None)
