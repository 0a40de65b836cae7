"""Figures for Prometheus, read from plain counters and live objects when somebody asks for them.

Rules: nothing is paid for a figure between two scrapes but the counting; every label's values come from
a set that clients can't make larger.
"""

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import apsw
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream import __version__
from jayx_stream.app.logs import lines
from jayx_stream.doors.counting import HttpCounts
from jayx_stream.doors.counts import OTHER, DoorCounts, OrderCounts
from jayx_stream.hub.counts import Histogram
from jayx_stream.hub.hub import Hub
from jayx_stream.journal.sqlite import FILE_NAME, WAL_NAME
from jayx_stream.projections import Projections

PATH = "/metrics"


class Connected(Protocol):
    """One connection of a door."""

    @property
    def waiting_bytes(self) -> int:
        """What its client has yet to read before it can be written more."""
        ...


class Door(Protocol):
    """One way to the streams."""

    @property
    def connections(self) -> Collection[Connected]:
        """Those that are open."""
        ...

    @property
    def counts(self) -> DoorCounts:
        """What happened there so far."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the figures stand. What is called is called at each scrape."""

    hub: Hub
    projections: Projections
    doors: Mapping[str, Door]
    """By name, such as `websocket`."""
    orders: OrderCounts
    http: Mapping[str, HttpCounts]
    """By port: `public`, `operator`."""
    fan_out_s: Histogram
    event_lag_s: Histogram
    commit_s: Histogram
    batch_commits: Histogram
    failed_keys: Callable[[], int]
    waiting_commands: Callable[[], int]
    history_seq: Callable[[], int]
    ready: Callable[[], bool]
    epoch: str
    directory: Path | None = None
    """Of the journal, if it is kept."""
    more: Sequence[Callable[[], Iterable[Metric]]] = field(default=())
    """Whoever has figures of its own."""


class VenueMetrics(Collector):
    """All figures of one venue."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.http = sources.http
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing has to be collected to be registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All figures as they are now."""
        yield from self._build()
        yield from self._state()
        yield from self._streams()
        yield from self._doors()
        yield from self._requests()
        yield from self._work()
        yield from self._log()
        for more in self._sources.more:
            yield from more()

    def _build(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "jayx_build",
            "Versions of the program and of what it runs on.",
            value={
                "version": __version__,
                "python": platform.python_version(),
                "sqlite": apsw.sqlite_lib_version(),
            },
        )
        yield InfoMetricFamily(
            "jayx_journal",
            "Identity of the journal: under another epoch every seq means something else.",
            value={"epoch": self._sources.epoch},
        )

    def _state(self) -> Iterator[Metric]:
        sources, projections = self._sources, self._sources.projections
        yield _gauge(
            "ready", "1 if orders and streams are served, as /ready says.", sources.ready()
        )
        yield _gauge("seq", "Number of the newest commit that clients may see.", projections.seq)
        yield _gauge(
            "history_seq", "Number of the newest commit that history holds.", sources.history_seq()
        )
        yield _gauge("open_orders", "Orders that are open.", projections.orders.open_count)
        yield _gauge("accounts", "Accounts that were ever opened.", projections.positions.count)
        yield _gauge("instruments", "Instruments that are listed.", len(projections.instruments))
        yield _gauge(
            "commands_waiting", "Commands that wait for the exchange.", sources.waiting_commands()
        )
        size = 0
        if sources.directory is not None:
            size = sum(_size(sources.directory / name) for name in (FILE_NAME, WAL_NAME))
        text = "Size of the journal's files, the write-ahead log included; 0 if it is not kept."
        yield _gauge("journal_bytes", text, size)

    def _streams(self) -> Iterator[Metric]:
        hub = self._sources.hub
        streams = _labeled_gauge("streams", "Streams that anyone reads, by event.", "event")
        readers = _labeled_gauge("subscriptions", "Readers of streams, by event.", "event")
        counts: dict[str, list[int]] = {event: [0, 0] for event in hub.counts}
        for stream in hub.all_streams():
            count = counts[stream.channel.event]
            count[0] += 1
            count[1] += stream.readers
        for event, (streams_now, readers_now) in counts.items():
            streams.add_metric([event], streams_now)
            readers.add_metric([event], readers_now)
        yield streams
        yield readers
        text = "Pushes given to readers, each reader's counted, before any are merged away."
        pushes = _counter("pushes", text, "event")
        text = "Bytes of these pushes, framed, before TLS and before any are merged away."
        sizes = _counter("pushed_bytes", text, "event")
        text = "Pushes that a slow reader never got because a later one stood in their place."
        merged = _counter("merged", text, "event")
        for event, each in hub.counts.items():
            pushes.add_metric([event], each.pushes)
            sizes.add_metric([event], each.bytes)
            merged.add_metric([event], each.merged)
        yield from (pushes, sizes, merged)

    def _doors(self) -> Iterator[Metric]:
        now = _labeled_gauge("connections", "Connections to streams that are open.", "door")
        text = "Bytes that wait for all readers together, because they are slow."
        queued = _labeled_gauge("queue_bytes", text, "door")
        text = "Bytes that wait for the reader for whom most wait."
        largest = _labeled_gauge("queue_largest_bytes", text, "door")
        text = "Connections for which anything waits."
        behind = _labeled_gauge("readers_behind", text, "door")
        opened = _counter("connections_opened", "Connections to streams that were let in.", "door")
        text = (
            "Connections that ended, by close code (1006: cut, other: the client's own) and side."
        )
        closes = _counter("closes", text, "door", "code", "by")
        text = "Handshakes of streams that were refused, by HTTP status."
        refused = _counter("handshakes_refused", text, "door", "status")
        for name, door in self._sources.doors.items():
            waiting = [each.waiting_bytes for each in door.connections]
            now.add_metric([name], len(waiting))
            queued.add_metric([name], sum(waiting))
            largest.add_metric([name], max(waiting, default=0))
            behind.add_metric([name], sum(1 for each in waiting if each))
            opened.add_metric([name], door.counts.opened)
            for (code, by), count in door.counts.closed.items():
                closes.add_metric([name, "other" if code == OTHER else str(code), by], count)
            for status, count in door.counts.refused.items():
                refused.add_metric([name, str(status)], count)
        yield from (now, queued, largest, behind, opened, closes, refused)

    def _requests(self) -> Iterator[Metric]:
        text = (
            "HTTP requests by route and status (0: the client left); upgrades are not among them."
        )
        requests = _counter("http_requests", text, "port", "method", "route", "status")
        for port, counts in self._sources.http.items():
            for (method, route, status), count in counts.items():
                requests.add_metric([port, method, route, str(status)], count)
        yield requests
        text = "Requests to place, amend or cancel that were answered, by the answer's code."
        orders = _counter("orders", text, "request", "code")
        for (request, code), count in self._sources.orders.answered.items():
            orders.add_metric([request, code], count)
        yield orders
        text = "Unknown keys, wrong signatures, and keys from where they may not be used."
        failed = _counter("failed_keys", text)
        failed.add_metric([], self._sources.failed_keys())
        yield failed

    def _work(self) -> Iterator[Metric]:
        text = "Tasks of the event loop: what somebody waits for, the scrape itself included."
        yield _gauge("tasks", text, len(asyncio.all_tasks()))
        text = "From an order that was read to its answer, which is after the disk's sync."
        yield _histogram("order_answer_seconds", text, self._sources.orders.seconds)
        text = "One round of pushes of changed states, to all their readers."
        yield _histogram("fan_out_seconds", text, self._sources.fan_out_s)
        text = "From when a batch's oldest command came to when all that it changed was told."
        yield _histogram("event_lag_seconds", text, self._sources.event_lag_s)
        text = "For which the journal took to make a batch durable."
        yield _histogram("commit_seconds", text, self._sources.commit_s)
        text = "Commits that shared one record of the journal, and one sync of the disk."
        yield _histogram("batch_commits", text, self._sources.batch_commits)

    def _log(self) -> Iterator[Metric]:
        written = _counter("log_lines", "Lines written to the log.", "level")
        text = "Lines of the log that were not written: too many of a kind (flood), or nobody took them."
        left_out = _counter("log_lines_left_out", text, "why")
        log = lines()
        if log is not None:
            # They have to be there before they are counted, for an alert to see the first one.
            graves = Counter({"warning": 0, "error": 0, "critical": 0})
            for level, count in {**graves, **log.written}.items():
                written.add_metric([level], count)
            left_out.add_metric(["flood"], log.left_out)
            left_out.add_metric(["lost"], log.lost)
        yield written
        yield left_out


def metrics_route(metrics: VenueMetrics) -> Route:
    """`GET /metrics`, in the form that Prometheus asks for."""

    async def scrape(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(metrics.registry), headers={"Content-Type": media_type})

    return Route(PATH, scrape, methods=["GET"])


def _gauge(name: str, text: str, value: int) -> Metric:
    return GaugeMetricFamily(f"jayx_{name}", text, value=value)


def _labeled_gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"jayx_{name}", text, labels=labels)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"jayx_{name}", text, labels=labels)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(f"jayx_{name}", text)
    buckets, total = [], 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        buckets.append((f"{bound:g}" if bound != float("inf") else "+Inf", total))
    family.add_metric([], buckets, histogram.sum)
    return family


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
