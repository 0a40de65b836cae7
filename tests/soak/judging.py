"""What a run's samples say: did anything grow that should not, and is anything left of those who have gone.

Pure: samples in, verdict out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

NOISE_KIB = 2048
"""By which memory may end higher than expected over the half that is judged, whatever its length: the
allocator keeps pages. The longer a run, the less it is a minute.
"""

NAMED_ORDER_KIB = 0.47
"""Of an order with a client order id, which is remembered for ever."""

MINUTE_KIB = 2.0
"""Of one instrument's minute: klines and ticker remember a thousand of them and more."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a server holds for its clients, and has to give back when they have gone."""

    descriptors: int
    threads: int
    tasks: int
    """Of the event loop, that of the scrape included."""
    connections: int
    """To streams, by all doors."""
    streams: int
    subscriptions: int
    queue_bytes: int
    readers_behind: int
    commands_waiting: int
    open_orders: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A look at a server."""

    at_s: float
    """Since the run began."""
    rss_kib: int
    seq: int
    held: Held


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a run."""

    rss_kib_per_min: float
    """Slope of a straight line through the second half of the samples, by least squares."""
    expected_kib_per_min: float
    allowed_kib_per_min: float
    left: tuple[str, ...]
    """What differs from before, though all clients have gone."""

    @property
    def grown(self) -> tuple[str, ...]:
        """What grew though it should not."""
        if self.rss_kib_per_min <= self.allowed_kib_per_min:
            return ()
        return (f"memory grew: {self.told()}",)

    def told(self) -> str:
        """The memory's part, for people."""
        told = (
            f"RSS {self.rss_kib_per_min:+,.1f} KiB a minute over the second half, "
            f"{self.expected_kib_per_min:,.1f} expected"
        )
        if self.expected_kib_per_min:
            told += f" ({self.rss_kib_per_min / self.expected_kib_per_min:.2f} of it)"
        return f"{told}, {self.allowed_kib_per_min:,.1f} allowed"


def judge(
    samples: Sequence[Sample], base: Held, end: Held, *, named_orders: int, instruments: int
) -> Verdict:
    """`samples`: of the run, evenly spread; at least four. `base` and `end`: with no client there, before
    and after. `named_orders`: placed over the whole run with a client order id.
    """
    assert len(samples) >= 4, "a line through fewer points says nothing"
    second = samples[len(samples) // 2 :]
    run_min = (samples[-1].at_s - samples[0].at_s) / 60
    judged_min = (second[-1].at_s - second[0].at_s) / 60
    expected = named_orders / run_min * NAMED_ORDER_KIB + instruments * MINUTE_KIB
    slope = slope_of([(each.at_s / 60, each.rss_kib) for each in second])
    return Verdict(
        rss_kib_per_min=slope,
        expected_kib_per_min=expected,
        allowed_kib_per_min=expected + NOISE_KIB / judged_min,
        left=tuple(_differences(base, end)),
    )


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that lies closest to the points, by least squares."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def _differences(base: Held, end: Held) -> list[str]:
    found = []
    for field in fields(Held):
        before, after = getattr(base, field.name), getattr(end, field.name)
        if before != after:
            name = field.name.replace("_", " ")
            found.append(f"{name}: {before:,} before, {after:,} after all had left")
    return found
