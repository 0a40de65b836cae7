"""When what is due goes out: the event loop's side of hub and turn.

Rules: states are pushed no faster than they are written, so that a crowd that is too large for an interval
gets newer states, not more of them; and between two slices of a crowd the loop serves whoever else is there.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from time import perf_counter

from jayx_stream.app.clock import Clock
from jayx_stream.doors.sockets import write_each
from jayx_stream.hub.counts import FAST_SECONDS, Histogram
from jayx_stream.hub.hub import Hub, Source
from jayx_stream.hub.turn import Turn, WriteMany
from jayx_stream.model.units import NS_PER_S

READERS_A_SLICE = 200
"""Written to before the loop looks for what else there is: a millisecond's work, or two."""


class Pace:
    """Drives a hub on the event loop that runs when it is first used."""

    def __init__(
        self,
        source: Source,
        intervals_s: Mapping[str, float],
        clock: Clock,
        write_many: WriteMany = write_each,
    ) -> None:
        """For `intervals_s` see `Hub`, for `write_many` see `Turn`."""
        self._clock = clock
        self._turn = Turn(self._drain_soon, write_many)
        self.hub = Hub(source, intervals_s, self._turn)
        self._timer: asyncio.TimerHandle | None = None
        self._will_drain = False
        """In the loop's next turn."""
        self._flush_waits = False
        """For the last round to have been written."""
        self._round_end = 0
        """What the turn's `ended` is when it has been."""
        self._round_began_s: float | None = None
        self._untold: deque[tuple[int, int]] = deque()
        """Of batches: what the turn's `ended` is when they have been told, and their time."""
        self.fan_out_s = Histogram(FAST_SECONDS)
        """For which one round of pushes of changed states took until the last reader was written to;
        those that pushed nothing left out.
        """
        self.event_lag_s = Histogram(FAST_SECONDS)
        """From when a batch's oldest command came to when all that it changed was told."""

    def flush(self) -> None:
        """Push the states that are due, once the last ones are written; come back when the next are."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flush_waits = self._turn.ended < self._round_end
        if self._flush_waits:
            return
        loop = asyncio.get_running_loop()
        flushed, began_s = self.hub.flushed, perf_counter()
        next_s = self.hub.flush(loop.time())
        if self.hub.flushed != flushed:
            self._round_end, self._round_began_s = self._turn.begun, began_s
            self._note_ends()
        if next_s is not None:
            self._timer = loop.call_at(next_s, self.flush)

    def told(self, since_ns: int) -> None:
        """A batch whose oldest command came then is pushed. Who is among the first is written to now:
        whatever else waits for the loop, or for the interpreter's lock, comes after.
        """
        self._untold.append((self._turn.begun, since_ns))
        self._drain()

    def _drain_soon(self) -> None:
        if not self._will_drain:
            self._will_drain = True
            asyncio.get_running_loop().call_soon(self._drain_next)

    def _drain_next(self) -> None:
        self._will_drain = False
        self._drain()

    def _drain(self) -> None:
        self._turn.drain(READERS_A_SLICE)
        self._note_ends()
        if self._flush_waits:
            self.flush()

    def _note_ends(self) -> None:
        ended = self._turn.ended
        if self._round_began_s is not None and ended >= self._round_end:
            self.fan_out_s.observe(perf_counter() - self._round_began_s)
            self._round_began_s = None
        while self._untold and ended >= self._untold[0][0]:
            _, since_ns = self._untold.popleft()
            self.event_lag_s.observe((self._clock() - since_ns) / NS_PER_S)
