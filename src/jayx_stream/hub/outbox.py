"""What waits for one reader. Rule: bounded, whatever the reader does (protocol §10, "slow reader").

While the reader keeps up, nothing waits: what one turn of the event loop brings is due, and written in
one go at its end. When it falls behind, pushes wait in order. When more than `queue_bytes` wait, a push
that a later one makes needless is replaced by it, which then says how many went into it. When what may
not be merged exceeds `queue_bytes_max`, the reader is given up.
"""

from collections.abc import Callable, Hashable, Iterable
from itertools import islice

from jayx_stream.hub.counts import Counts
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.push import Encoding, Push

ROOM_BYTES = 1_048_576
"""In place of a bound that is switched off, for `is_behind`."""


DUE_BYTES_MAX = 65_536
"""Of frames behind the first that are due at once; with more, they are written before the turn ends."""


RESUMED_AT_ONCE = 100

NO_DESCRIPTOR = -1


def _nobody(*_: object) -> None:
    """In place of a reader that is gone."""


class _Newest:
    """A push under its merge key; it stands for those that it was merged with, too."""

    __slots__ = ("frame", "merged", "push")

    def __init__(self, push: Push, frame: bytes, merged: int) -> None:
        self.push = push
        self.frame = frame
        self.merged = merged


_Waiting = Push | bytes | _Newest
"""While nothing is merged, a push is itself what waits, and an answer its frame: very many readers may begin
to be merged in the same turn, each with thousands of pushes, and an object for each would have to be freed.
"""


class Outbox:
    """One reader's queue. The door that owns it calls `pause` and `resume`; the hub calls `offer`."""

    __slots__ = (
        "_closed",
        "_counts",
        "_due",
        "_give_up",
        "_merging",
        "_more",
        "_more_bytes",
        "_next_key",
        "_queue_bytes",
        "_queue_bytes_max",
        "_room_bytes",
        "_turn",
        "_unmerged_bytes",
        "_waiting",
        "descriptor",
        "encoding",
        "is_paused",
        "waiting_bytes",
        "write",
    )

    def __init__(
        self,
        write: Callable[[bytes], object],
        give_up: Callable[[], object],
        encoding: Encoding,
        turn: Turn,
        *,
        queue_bytes: int,
        queue_bytes_max: int,
        counts: Counts | None = None,
    ) -> None:
        """`write` takes one frame or several, as the encoding joins them; `give_up` is called once, when
        the bound is broken. `turn` is that of the loop which all this runs on. Both bounds in bytes, 0
        for none. `counts` are the hub's, for what is merged.
        """
        self.write = write
        self._give_up = give_up
        self.encoding = encoding
        """How what is written reaches the reader."""
        self.descriptor = NO_DESCRIPTOR
        """Of the reader's socket, if it may be written to past `write` while the reader is not behind."""
        self._turn = turn
        self._due: bytes | None = None
        """The frame that the reader gets at the end of the turn, however slow it is meanwhile."""
        self._more: list[bytes] | None = None
        """Those due behind it. Mostly there are none, and a crowd's lists would have to be filled."""
        self._more_bytes = 0
        self._counts = Counts() if counts is None else counts
        self._queue_bytes = queue_bytes
        self._queue_bytes_max = queue_bytes_max
        self._room_bytes = (
            min(filter(None, (queue_bytes, queue_bytes_max)), default=ROOM_BYTES) // 2
        )
        self.is_paused = False
        """All waits: the reader is behind, or gone."""
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
        """Have a push written, at the end of the turn or when it is due."""
        self.bring(push.frame(self.encoding), push)

    def bring(self, frame: bytes, push: Push) -> None:
        """The same, of a push whose frame in this outbox's encoding is known."""
        if self._turn.waves:
            self._turn.settle(self)
        if self.is_paused:
            self._queue(frame, push)
        elif self._due is None:
            self._due = frame
            self._turn.add_pushed(self)
        else:
            self._append_due(frame)

    def reply(self, frame: bytes) -> None:
        """Have an answer written; it keeps its place among the pushes."""
        if self._turn.waves:
            self._turn.settle(self)
        if self.is_paused:
            self._queue(frame, None)
        else:
            if self._due is None:
                self._due = frame
            else:
                self._append_due(frame)
            self._turn.add_answered(self)

    def take_due(self) -> bytes | None:
        """What is due, to be given to `write` before anything else happens; None if nothing is."""
        due, more = self._due, self._more
        self._due = None
        if due is None or more is None:
            return due
        self._more = None
        self._more_bytes = 0
        return self.encoding.separator.join((due, *more))

    def drain(self) -> None:
        """Write what is due."""
        if self._turn.waves:
            self._turn.settle(self)
        due = self.take_due()
        if due is not None:
            self.write(due)

    def reach(self, descriptor: int) -> None:
        """Say that the reader may be written to past `write` at this socket while it is not behind. Not
        for one that hub has already.
        """
        self.descriptor = descriptor
        self._tell_turn()

    def pause(self) -> None:
        """The reader is behind: let everything wait, but for what is due to it already."""
        self.is_paused = True
        self._tell_turn()

    def resume(self) -> None:
        """The reader has caught up: write what waits, until it is behind again."""
        self.drain()
        self.is_paused = self._closed
        self._tell_turn()
        while self._waiting and not self.is_paused:
            # To find its first key a dict looks at all that were taken before: so not for each one.
            for key in tuple(islice(self._waiting, RESUMED_AT_ONCE)):
                waiting = self._waiting.pop(key)
                self._count(waiting, -1)
                self.write(self._frame(waiting))
                if self.is_paused:
                    break
        if not self._waiting:
            self._merging = False

    def switch(
        self,
        write: Callable[[bytes], object],
        encoding: Encoding,
        reframe: Callable[[bytes], bytes],
        descriptor: int = NO_DESCRIPTOR,
    ) -> None:
        """From now on the reader is reached another way; what waits goes there, too. `reframe` puts
        an answer's frame into the new form.
        """
        self.drain()
        self.reach(descriptor)
        self.write = write
        self.encoding = encoding
        self.waiting_bytes = self._unmerged_bytes = 0
        for key, waiting in self._waiting.items():
            if isinstance(waiting, bytes):
                self._waiting[key] = reframe(waiting)
            elif isinstance(waiting, _Newest):
                waiting.frame = waiting.push.frame(encoding, waiting.merged)
            self._count(self._waiting[key], +1)

    def close(self) -> None:
        """Forget what is due and what waits, and its reader, and take nothing any more."""
        self._closed = self.is_paused = True
        self._tell_turn()
        self.write = self._give_up = _nobody
        self._due = self._more = None
        self._waiting.clear()
        self.waiting_bytes = self._unmerged_bytes = 0

    def _tell_turn(self) -> None:
        if self.descriptor >= 0:
            self._turn.set_keeps_up(self.descriptor, not self.is_paused)

    def _append_due(self, frame: bytes) -> None:
        if self._more is None:
            self._more = []
        self._more.append(frame)
        self._more_bytes += len(frame)
        if self._more_bytes > DUE_BYTES_MAX:
            self.drain()

    def _queue(self, frame: bytes, push: Push | None) -> None:
        if self._closed:
            return
        if push is None:
            self._append(frame)
        elif push.merge_key is None or not self._merging:
            self._append(push)
        else:
            self._merge(push.merge_key, push)
        if self._over(self.waiting_bytes, self._queue_bytes) and not self._merging:
            self._begin_merging()
        if self._over(self._unmerged_bytes, self._queue_bytes_max):
            give_up = self._give_up
            self.close()
            give_up()

    def _append(self, waiting: _Waiting) -> None:
        self._waiting[self._next_key] = waiting
        self._next_key += 1
        self._count(waiting, +1)

    def _merge(self, key: Hashable, push: Push) -> None:
        replaced = self._waiting.pop(key, None)
        merged = 0
        if replaced is not None:
            assert isinstance(replaced, _Newest), f"{key} stands for no push"
            self._count(replaced, -1)
            merged = replaced.merged + 1
            self._counts[push.event].merged += 1
        self._waiting[key] = newest = _Newest(push, push.frame(self.encoding, merged), merged)
        self._count(newest, +1)

    def _begin_merging(self) -> None:
        self._merging = True
        kept: dict[Hashable, _Waiting] = {}
        newest: dict[Hashable, _Newest] = {}
        for waiting in reversed(self._waiting.values()):
            key = waiting.merge_key if isinstance(waiting, Push) else None
            if key is None:
                kept[len(kept)] = waiting
            elif key in newest:
                newest[key].merged += 1
            else:
                assert isinstance(waiting, Push)
                kept[key] = newest[key] = _Newest(waiting, b"", 0)
        self._waiting = dict(reversed(kept.items()))
        self.waiting_bytes = self._unmerged_bytes
        for each in newest.values():
            each.frame = each.push.frame(self.encoding, each.merged)
            self._counts[each.push.event].merged += each.merged
            self._count(each, +1)

    def _frame(self, waiting: _Waiting) -> bytes:
        if isinstance(waiting, Push):
            return waiting.frame(self.encoding)
        return waiting if isinstance(waiting, bytes) else waiting.frame

    def _count(self, waiting: _Waiting, sign: int) -> None:
        size = sign * len(self._frame(waiting))
        self.waiting_bytes += size
        if isinstance(waiting, bytes) or (isinstance(waiting, Push) and waiting.merge_key is None):
            self._unmerged_bytes += size

    @staticmethod
    def _over(count: int, limit: int) -> bool:
        return 0 < limit < count


def bring_to_all(outboxes: Iterable[Outbox], frame: bytes, push: Push, turn: Turn) -> None:
    """`bring` to each. What that does for a reader of `turn` who keeps up stands here again: in a large
    crowd the calls cost three times as much.
    """
    due: list[Outbox] = []
    for outbox in outboxes:
        if outbox._due is None and outbox._turn is turn and not outbox.is_paused:
            outbox._due = frame
            due.append(outbox)
        else:
            outbox.bring(frame, push)
    turn.add_all_pushed(due)
