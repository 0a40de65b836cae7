"""Plain numbers, counted where something happens and read by whoever is asked for figures.

Rule: what is counted once per spread costs the same however many read it; nothing here knows names of
metrics, locks or clocks.
"""

from bisect import bisect_left

FAST_SECONDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
"""Bounds for what should take a few milliseconds, and must not take seconds."""


class Histogram:
    """How often something was how large."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """`bounds` ascend; a value that equals one is counted under it."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """By bound, and at last what is above all of them; each value in one of them alone."""
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class StreamCounts:
    """What was pushed to the readers of one kind of streams."""

    __slots__ = ("bytes", "merged", "pushes")

    def __init__(self) -> None:
        self.pushes = 0
        """Each reader's counted, those that were merged away later too."""
        self.bytes = 0
        """Of these pushes, as framed for their readers."""
        self.merged = 0
        """Pushes that a slow reader never got, because a later one stood in their place."""


class Counts(dict[str, StreamCounts]):
    """By the event that its streams push. Made when first asked for, and events are few."""

    def __missing__(self, event: str) -> StreamCounts:
        counts = self[event] = StreamCounts()
        return counts
