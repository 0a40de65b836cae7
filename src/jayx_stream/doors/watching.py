"""Very many that are looked at now and then, each when its time has come, by one timer for all of them.

Rule: no turn of the event loop has more than `LOOKS_AT_ONCE` of them, however many are due.
"""

import asyncio
from typing import Protocol

TICK_S = 0.25
"""How late one may be looked at, and as much again, on a loop that has nothing else to do."""

LOOKS_AT_ONCE = 200

NEVER = -1
"""In place of a tick, of one who is not to be looked at."""


class Watched(Protocol):
    """Who is looked at."""

    def look(self, now_s: float) -> None:
        """Its time has come. Who wants to be looked at again says so."""
        ...


class Watch:
    """Whom to look at, and when, by the running loop's clock. A timer runs while there is anybody."""

    def __init__(self, tick_s: float = TICK_S) -> None:
        self._tick_s = tick_s
        self._due: dict[int, dict[Watched, None]] = {}
        """By tick, counted from the clock's beginning; none of them is empty."""
        self._timer: asyncio.Handle | None = None

    def look_at(self, watched: Watched, at_s: float) -> int:
        """Look at this one then, or soon after; gives the tick, which `forget` wants to know."""
        loop = asyncio.get_running_loop()
        tick = self._tick(max(at_s, loop.time())) + 1
        self._due.setdefault(tick, {})[watched] = None
        if self._timer is None:
            self._timer = loop.call_later(self._tick_s, self._look)
        return tick

    def forget(self, watched: Watched, tick: int) -> None:
        """Don't look at this one, if it is still to be looked at."""
        due = self._due.get(tick)
        if due is not None and watched in due:
            del due[watched]
            if not due:
                del self._due[tick]

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_s, left = loop.time(), LOOKS_AT_ONCE
        for tick in sorted(each for each in self._due if each <= self._tick(now_s)):
            while tick in self._due:
                if not left:
                    self._timer = loop.call_soon(self._look)
                    return
                left -= 1
                watched = next(iter(self._due[tick]))
                self.forget(watched, tick)
                watched.look(now_s)
        self._timer = loop.call_later(self._tick_s, self._look) if self._due else None

    def _tick(self, at_s: float) -> int:
        return int(at_s / self._tick_s)
