"""The readers of one stream who take the same frames, and a push on its way through all of them.

Rule: to a reader it is as if each push became due to it at once, in the order of the pushes. As long as
nothing else comes for any of a large crowd, no reader's own state is touched: very many are in no cache, and
to fetch them cost an eighth of what the kernel needs for the writes.
"""

from array import array
from itertools import compress
from operator import not_

from jayx_stream.hub.outbox import DUE_BYTES_MAX, Outbox, bring_to_all
from jayx_stream.hub.turn import Turn, WriteMany
from jayx_stream.wire.push import Encoding, Push

LARGE = 32
"""Readers from which on a push goes through a crowd as a wave."""


class Crowd:
    """A set of readers. Either all have a descriptor, or none has."""

    __slots__ = ("_places", "_turn", "descriptors", "encoding", "outboxes")

    def __init__(self, encoding: Encoding, turn: Turn) -> None:
        self._turn = turn
        self.encoding = encoding
        self._places: dict[Outbox, int] = {}
        self.outboxes: list[Outbox] = []
        self.descriptors = array("i")
        """Those of `outboxes`, in the same order."""

    def __len__(self) -> int:
        return len(self.outboxes)

    def place(self, outbox: Outbox) -> int:
        """Of a reader in `outboxes`; -1 if it is none."""
        return self._places.get(outbox, -1)

    def take_in(self, outbox: Outbox) -> bool:
        """Make `outbox` one of them. Gives whether it was none before. What is on its way is not for it."""
        if outbox in self._places:
            return False
        self._places[outbox] = len(self.outboxes)
        self.outboxes.append(outbox)
        self.descriptors.append(outbox.descriptor)
        return True

    def let_go(self, outbox: Outbox) -> None:
        """End a reader's part; what is on its way becomes due to all."""
        if any(wave.crowd is self for wave in self._turn.waves):
            self._turn.settle_all()
        place = self._places.pop(outbox)
        last, descriptor = self.outboxes.pop(), self.descriptors.pop()
        if last is not outbox:
            self.outboxes[place], self.descriptors[place] = last, descriptor
            self._places[last] = place

    def spread(self, frame: bytes, push: Push) -> None:
        """Have a push written to all of them, at the end of the turn or when they can be."""
        turn = self._turn
        if len(self.outboxes) < LARGE or self.descriptors[0] < 0:
            self._spread_singly(frame, push)
            return
        # A reader has one encoding: so this is the only wave that can be meant for any of them.
        for wave in turn.waves:
            if wave.crowd.encoding is self.encoding:
                if not wave.join(self, frame, push):
                    turn.settle_all()
                    self._spread_singly(frame, push)
                return
        turn.add_wave(Wave(self, frame, push))

    def _spread_singly(self, frame: bytes, push: Push) -> None:
        outboxes = tuple(self.outboxes)
        if self._turn.waves:
            for outbox in outboxes:
                outbox.bring(frame, push)
        else:
            bring_to_all(outboxes, frame, push, self._turn)


class Wave:
    """Pushes on their way through those who are a crowd now; who joins it meanwhile is not meant."""

    __slots__ = ("_begin", "_end", "_frame", "_pushes", "crowd")

    def __init__(self, crowd: Crowd, frame: bytes, push: Push) -> None:
        self.crowd = crowd
        self._frame = frame
        self._pushes = [(frame, push)]
        self._begin = 0
        self._end = len(crowd)

    def __len__(self) -> int:
        """How many it has not reached yet."""
        return self._end - self._begin

    def __contains__(self, outbox: Outbox) -> bool:
        """Whether it has not reached this one yet."""
        return self._begin <= self.crowd.place(outbox) < self._end

    def join(self, crowd: Crowd, frame: bytes, push: Push) -> bool:
        """Take a push of another stream along, if it is for the same readers in the same order: mostly who
        reads one stream of a market has subscribed to the same others with it. Gives whether it could.
        """
        joined = crowd.encoding.separator.join((self._frame, frame))
        is_whole = len(self) == len(crowd) and crowd.outboxes == self.crowd.outboxes
        if not is_whole or len(joined) > DUE_BYTES_MAX:
            return False
        self._frame = joined
        self._pushes.append((frame, push))
        return True

    def settle(self, turn: Turn) -> None:
        """Make it due to each one whom it has not reached."""
        for frame, push in self._pushes:
            bring_to_all(self.crowd.outboxes[self._begin : self._end], frame, push, turn)

    def write(self, most: int, write_many: WriteMany, keeps_up: bytearray) -> None:
        """Write it to at most so many more; who is behind has it wait."""
        outboxes, joined = self.crowd.outboxes, self._frame
        meant = slice(self._begin, min(self._begin + most, self._end))
        self._begin = meant.stop
        descriptors = self.crowd.descriptors[meant].tolist()
        free = [keeps_up[descriptor] for descriptor in descriptors]
        if not all(free):
            for outbox in compress(outboxes[meant], map(not_, free)):
                for frame, push in self._pushes:
                    outbox.bring(frame, push)
            descriptors = list(compress(descriptors, free))
        short = write_many(descriptors, [joined] * len(descriptors))
        if short:
            written = list(compress(outboxes[meant], free))
            for place, taken in short:
                written[place].write(joined[taken:])
