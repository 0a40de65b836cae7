"""Who is to be written to in this turn of the event loop.

Rule: one write to each reader and turn, however many streams it reads and however much it asked. Answers
go ahead of pushes, pushes in the order in which they became due, and what else the process has to do comes
between the writes to a large crowd. (One more for who is due an answer when a wave comes by.)
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jayx_stream.hub.crowd import Wave
    from jayx_stream.hub.outbox import Outbox

WriteMany = Callable[[list[int], list[bytes]], list[tuple[int, int]]]
"""Writes to each socket what is for it, as far as it goes without waiting. Gives the places of those that
did not take all, each with the bytes that it took.
"""


class Turn:
    """Outboxes in which frames are due; whoever drives the loop drains it, a slice at a time."""

    __slots__ = (
        "_ahead",
        "_answered",
        "_is_woken",
        "_pushed",
        "_wake",
        "_write_many",
        "ended",
        "keeps_up",
        "waves",
    )

    def __init__(self, wake: Callable[[], object], write_many: WriteMany) -> None:
        """`wake` is called when something is due, and again after each slice that left some: `drain`
        is then to be called, soon. `write_many` is for readers with a descriptor.
        """
        self._wake = wake
        self._write_many = write_many
        self._is_woken = False
        self._answered: dict[Outbox, None] = {}
        self._pushed: deque[Outbox] = deque()
        self._ahead = 0
        """Of those, how many became due before the first wave came."""
        self.waves: deque[Wave] = deque()
        """What is due to whole crowds, of which no two have a reader in common."""
        self.keeps_up = bytearray()
        """At each descriptor, 1 if its reader may be written to past its outbox."""
        self.ended = 0
        """Readers that were pushed something so far."""

    @property
    def begun(self) -> int:
        """What `ended` is once everyone who is due a push has been written to."""
        return self.ended + len(self._pushed) + sum(map(len, self.waves))

    def add_pushed(self, outbox: "Outbox") -> None:
        """A push is due to this reader, and nothing was before."""
        self._pushed.append(outbox)
        if not self._is_woken:
            self._be_woken()

    def add_all_pushed(self, outboxes: "list[Outbox]") -> None:
        """The same for many."""
        self._pushed.extend(outboxes)
        if outboxes and not self._is_woken:
            self._be_woken()

    def add_wave(self, wave: "Wave") -> None:
        """A push is due to a whole crowd, of which no reader is in another that a wave is due to."""
        if not self.waves:
            self._ahead = len(self._pushed)
        self.waves.append(wave)
        if not self._is_woken:
            self._be_woken()

    def settle(self, outbox: "Outbox") -> None:
        """Something else comes for this reader, and perhaps for others: what waves have not brought it
        yet is to be due to it first.
        """
        if any(outbox in wave for wave in self.waves):
            self.settle_all()

    def settle_all(self) -> None:
        """Let all waves end: what they have not brought yet becomes due to each reader by itself."""
        begun = self.begun
        waves = tuple(self.waves)
        self.waves.clear()
        for wave in waves:
            wave.settle(self)
        # Some were due something already, and some are behind and wait.
        self.ended = begun - len(self._pushed)

    def set_keeps_up(self, descriptor: int, does: bool) -> None:
        """Whether the reader behind a descriptor may be written to past its outbox."""
        if descriptor >= len(self.keeps_up):
            self.keeps_up.extend(bytes(descriptor + 1 - len(self.keeps_up)))
        self.keeps_up[descriptor] = does

    def add_answered(self, outbox: "Outbox") -> None:
        """An answer is due to this reader; it may be among the crowd already."""
        self._answered[outbox] = None
        if not self._is_woken:
            self._be_woken()

    def drain(self, most: int) -> None:
        """Write to all who are due an answer, and to at most so many who are due a push."""
        answered, self._answered = self._answered, {}
        pushed = self._pushed
        singly = min(most, self._ahead if self.waves else len(pushed))
        slice = [pushed.popleft() for _ in range(singly)]
        self._ahead -= singly
        try:
            if answered:
                self._write(answered)
            if slice:
                self._write(slice)
            if self.waves and singly < most:
                self._write_wave(most - singly)
        finally:
            # A fault of one write must not be the end of all others.
            self.ended += singly
            self._is_woken = False
            if self._pushed or self._answered or self.waves:
                self._be_woken()

    def _be_woken(self) -> None:
        self._is_woken = True
        self._wake()

    def _write(self, outboxes: "Collection[Outbox]") -> None:
        direct: list[Outbox] = []
        descriptors: list[int] = []
        due: list[bytes] = []
        for outbox in outboxes:
            frames = outbox.take_due()
            if frames is None:
                continue
            if outbox.descriptor < 0 or outbox.is_paused:
                outbox.write(frames)
            else:
                direct.append(outbox)
                descriptors.append(outbox.descriptor)
                due.append(frames)
        # After each write the interpreter is cold, and what stands between two of them costs several
        # times what it does elsewhere: so they are made by themselves.
        for place, taken in self._write_many(descriptors, due):
            direct[place].write(due[place][taken:])

    def _write_wave(self, most: int) -> None:
        wave = self.waves[0]
        before = len(wave)
        if most >= before:
            self.waves.popleft()
        self.ended += min(most, before)
        wave.write(most, self._write_many, self.keeps_up)
