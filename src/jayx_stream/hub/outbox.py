"""What waits for one reader. Rule: bounded, whatever the reader does (protocol §10, "slow reader").

While the reader keeps up, nothing waits: a push is written at once. When it falls behind, pushes
wait in order. When more than `queue_bytes` wait, a push that a later one makes needless is replaced
by it, which then says how many went into it. When what may not be merged exceeds `queue_bytes_max`,
the reader is given up.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from jayx_stream.hub.counts import Counts
from jayx_stream.wire.push import Encoding, Push

ROOM_BYTES = 1_048_576
"""In place of a bound that is switched off, for `is_behind`."""


@dataclass(slots=True)
class _Waiting:
    frame: bytes
    push: Push | None
    """None for an answer."""
    merged: int = 0


def _merge_key(waiting: _Waiting) -> Hashable | None:
    return None if waiting.push is None else waiting.push.merge_key


class Outbox:
    """One reader's queue. The door that owns it calls `pause` and `resume`; the hub calls `offer`."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        give_up: Callable[[], None],
        encoding: Encoding,
        *,
        queue_bytes: int,
        queue_bytes_max: int,
        counts: Counts | None = None,
    ) -> None:
        """`write` takes a frame that is due; `give_up` is called once, when the bound is broken. Both
        bounds in bytes, 0 for none. `counts` are the hub's, for what is merged.
        """
        self._write = write
        self._give_up = give_up
        self.encoding = encoding
        """How what is written reaches the reader."""
        self._counts = Counts() if counts is None else counts
        self._queue_bytes = queue_bytes
        self._queue_bytes_max = queue_bytes_max
        self._room_bytes = (
            min(filter(None, (queue_bytes, queue_bytes_max)), default=ROOM_BYTES) // 2
        )
        self._paused = False
        self._closed = False
        self._waiting: dict[Hashable, _Waiting] = {}
        """In order. Under its merge key stands a push that a later one may replace."""
        self._next_key = 0
        self._merging = False
        self.waiting_bytes = 0
        self._unmerged_bytes = 0
        """Of the waiting bytes, those that may not be merged."""

    @property
    def is_behind(self) -> bool:
        """Whether so much waits that nobody should bring old news in."""
        return self.waiting_bytes > self._room_bytes

    def offer(self, push: Push) -> None:
        """Have a push written, now or when it is due."""
        if self._closed:
            return
        if self._paused:
            self._queue(push.frame(self.encoding), push)
        else:
            self._write(push.frame(self.encoding))

    def reply(self, frame: bytes) -> None:
        """Have an answer written; it keeps its place among the pushes."""
        if self._closed:
            return
        if self._paused:
            self._queue(frame, None)
        else:
            self._write(frame)

    def pause(self) -> None:
        """The reader is behind: let everything wait."""
        self._paused = True

    def resume(self) -> None:
        """The reader has caught up: write what waits, until it is behind again."""
        self._paused = False
        while self._waiting and not self._paused:
            key = next(iter(self._waiting))
            waiting = self._waiting.pop(key)
            self._count(waiting, -1)
            self._write(waiting.frame)
        if not self._waiting:
            self._merging = False

    def switch(
        self,
        write: Callable[[bytes], None],
        encoding: Encoding,
        reframe: Callable[[bytes], bytes],
    ) -> None:
        """From now on the reader is reached another way; what waits goes there, too. `reframe` puts
        an answer's frame into the new form.
        """
        self._write = write
        self.encoding = encoding
        for waiting in self._waiting.values():
            self._count(waiting, -1)
            if waiting.push is None:
                waiting.frame = reframe(waiting.frame)
            else:
                waiting.frame = waiting.push.frame(encoding, waiting.merged)
            self._count(waiting, +1)

    def close(self) -> None:
        """Forget what waits, and take nothing any more."""
        self._closed = True
        self._waiting.clear()
        self.waiting_bytes = self._unmerged_bytes = 0

    def _queue(self, frame: bytes, push: Push | None) -> None:
        waiting = _Waiting(frame, push)
        if push is not None and push.merge_key is not None and self._merging:
            self._merge(push.merge_key, waiting)
        else:
            self._append(waiting)
        if self._over(self.waiting_bytes, self._queue_bytes) and not self._merging:
            self._begin_merging()
        if self._over(self._unmerged_bytes, self._queue_bytes_max):
            self.close()
            self._give_up()

    def _append(self, waiting: _Waiting) -> None:
        self._waiting[self._next_key] = waiting
        self._next_key += 1
        self._count(waiting, +1)

    def _merge(self, key: Hashable, waiting: _Waiting) -> None:
        replaced = self._waiting.pop(key, None)
        if replaced is not None:
            self._count(replaced, -1)
            assert waiting.push is not None
            waiting.merged = replaced.merged + 1
            waiting.frame = waiting.push.frame(self.encoding, waiting.merged)
            self._counts[waiting.push.event].merged += 1
        self._waiting[key] = waiting
        self._count(waiting, +1)

    def _begin_merging(self) -> None:
        self._merging = True
        queue, self._waiting = self._waiting, {}
        counts = Counter(_merge_key(waiting) for waiting in queue.values())
        for key, waiting in reversed(queue.items()):
            merge_key = _merge_key(waiting)
            if waiting.push is None or merge_key is None:
                self._waiting[key] = waiting
                continue
            self._count(waiting, -1)
            if merge_key not in self._waiting:
                waiting.merged = counts[merge_key] - 1
                waiting.frame = waiting.push.frame(self.encoding, waiting.merged)
                self._waiting[merge_key] = waiting
                self._count(waiting, +1)
                self._counts[waiting.push.event].merged += waiting.merged
        self._waiting = dict(reversed(self._waiting.items()))

    def _count(self, waiting: _Waiting, sign: int) -> None:
        size = sign * len(waiting.frame)
        self.waiting_bytes += size
        if waiting.push is None or waiting.push.merge_key is None:
            self._unmerged_bytes += size

    @staticmethod
    def _over(count: int, limit: int) -> bool:
        return 0 < limit < count
