"""Clocks. What reads one gets it through its constructor; a clock is called for nanoseconds UTC."""

from collections.abc import Callable
from time import time_ns

Clock = Callable[[], int]

system_clock: Clock = time_ns


class RecordedClock:
    """Shows the time of a recording, as far as it has been replayed."""

    def __init__(self, start_ns: int) -> None:
        self._time_ns = start_ns

    def __call__(self) -> int:
        """Nanoseconds since the epoch."""
        return self._time_ns

    def advance(self, time_ns: int) -> None:
        """Set the clock on; it never goes back."""
        self._time_ns = max(self._time_ns, time_ns)
