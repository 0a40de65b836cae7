"""How long does a recorded market take at `--speed max`, and with 1,000 readers of its book and its kline?

The command as it is, on one core; readers (C) on the other. They connect while the replay begins. With
the intervals of the default configuration, and with none: then every batch of changes is pushed, and what
readers can't follow is merged. What the server counted of itself comes from its operator's port. A
recording is lines as received from a venue, see README.md; the first symbol in it is what is read.

    python -m benchmarks.bench_replay RECORDING [READERS [ROUNDS]]
"""

import contextlib
import gzip
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.building import ROOT
from benchmarks.fanout.building import BuildError, build
from benchmarks.fanout.servers import Served, _process
from benchmarks.fanout.streams import Spoken, readers_command
from benchmarks.running import machine, started

READERS = 1_000
ROUNDS = 3
DEADLINE_S = 600
INTERVALS_MS = {"default intervals": (100, 250), "no intervals": (0, 0)}
"""Between two pushes of the book, of a kline."""
OVER = re.compile(r"(\d+) lines .* in ([\d.]+) s: (\d+) orders, (\d+) trades")
SAMPLE = re.compile(r"^jayx_(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Replayed:
    """What one replay gave."""

    seconds: float
    orders: int
    deliveries_per_s: float
    """As the readers counted, from a second after the last of them was in."""
    pushes: float
    merged: float
    cpu_share: float
    """Of one core, from the first line to the last."""
    lag_p99_s: float
    """From when a batch's oldest command came to when what it changed was told: its bucket's upper end."""
    rss_mib: float


def symbol_of(recording: Path) -> str:
    """The first symbol that it names. Exits if it names none."""
    opened = gzip.open if recording.suffix == ".gz" else open
    with opened(recording, "rt") as lines:
        match = re.search(r'"s":"(\w+)"', lines.read(65_536))
    if match is None:
        sys.exit(f"bench_replay: {recording} is no recording: its first lines name no symbol")
    return match[1]


def config(book_ms: int, kline_ms: int, admin_port: int) -> str:
    """That of the examples, which has the recorded instruments, for very many readers of one address who
    come while the server has no time for them.
    """
    text = (ROOT / "examples" / "sandbox.toml").read_text()
    changes = {
        "orderbook_interval_ms = 100": f"orderbook_interval_ms = {book_ms}",
        "kline_interval_ms = 250": f"kline_interval_ms = {kline_ms}",
        "connections_per_address = 200": "connections_per_address = 0\nhttp_requests_per_s = 0",
        "handshake_s = 5": "handshake_s = 60",
        "port = 8444": f"port = {admin_port}",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def replayed(recording: Path, symbol: str, readers: int, book_ms: int, kline_ms: int) -> Replayed:
    """One replay. Raises RuntimeError if server or readers end early."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        admin_port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "venue.toml").write_text(config(book_ms, kline_ms, admin_port))
        words = [sys.executable, "-m", "jayx_stream", "serve", "--config", f"{name}/venue.toml"]
        words += ["--port", "0", "--data-dir", f"{name}/data"]
        words += ["--replay", str(recording), "--speed", "max"]
        with contextlib.ExitStack() as stack:
            process, ready = stack.enter_context(_process(words))
            match = re.search(r"ws://127\.0\.0\.1:(\d+)/", ready)
            assert match is not None, ready
            spoken = _spoken(process.pid, int(match[1]), symbol)
            served = Served(process.pid, spoken.port, "/", (), tuple, "", ())
            began_s, cpu_s = time.perf_counter(), served.cpu_s()
            reading: subprocess.Popen[str] | None = None
            if readers:
                command = readers_command(folder, spoken, readers, DEADLINE_S, window=0, pause_us=0)
                reading = stack.enter_context(started(command))
            lines, seconds, orders, _ = _wait_until_over(process)
            took_s, cpu_s = time.perf_counter() - began_s, served.cpu_s() - cpu_s
            deliveries_per_s = 0.0 if reading is None else _end_reading(reading)
            figures = _scrape(admin_port)
            assert lines != "0", f"{recording}: nothing was replayed"
            return Replayed(
                seconds=float(seconds),
                orders=int(orders),
                deliveries_per_s=deliveries_per_s,
                pushes=_sum(figures, "pushes_total"),
                merged=_sum(figures, "merged_total"),
                cpu_share=cpu_s / took_s,
                lag_p99_s=_percentile(figures, "event_lag_seconds", 0.99),
                rss_mib=served.rss_kib() / 1024,
            )


def _spoken(pid: int, port: int, symbol: str) -> Spoken:
    """Readers of book and kline; nobody conducts."""
    topic = {"category": "spot", "symbol": symbol}
    requests = [
        {"event": "orderbook", "message": {**topic, "precise": "1", "depth": 20}},
        {"event": "kline", "message": {**topic, "interval": "60"}},
    ]
    return Spoken(pid, port, "/", ((json.dumps(requests),),), tuple, "-", ())


def _end_reading(reading: subprocess.Popen[str]) -> float:
    """Deliveries a second. Raises RuntimeError."""
    reading.terminate()
    told, reason = reading.communicate(timeout=60)
    if reading.returncode:
        raise RuntimeError(f"the readers ended: {reason}")
    counted = json.loads(told)
    return float(counted["pushes"] / counted["seconds"])


def _wait_until_over(process: subprocess.Popen[str]) -> tuple[str, ...]:
    """Lines, seconds, orders, trades, as the server sums them up."""
    assert process.stdout is not None
    for line in process.stdout:
        match = OVER.search(line)
        if match is not None:
            return match.groups()
    assert process.stderr is not None
    raise RuntimeError(f"the replay ended early: {process.stderr.read()}")


def _scrape(admin_port: int) -> list[tuple[str, str, float]]:
    """Name, labels and value of each figure."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return [(name, labels, float(value)) for name, labels, value in SAMPLE.findall(text)]


def _sum(figures: list[tuple[str, str, float]], wanted: str) -> float:
    return sum(value for name, _, value in figures if name == wanted)


def _percentile(figures: list[tuple[str, str, float]], wanted: str, share: float) -> float:
    """The upper end of the bucket in which it lies."""
    buckets = [
        (float(labels.split('"')[1]), value)
        for name, labels, value in figures
        if name == f"{wanted}_bucket"
    ]
    due = share * max(value for _, value in buckets)
    return min(bound for bound, value in buckets if value >= due)


def table(recording: Path, rounds: dict[str, list[Replayed]]) -> Table:
    """Medians."""
    one = rounds["none"]
    title = f"{recording.name}, {one[0].orders:,} orders, median of {len(one)} rounds"
    made = Table(title=title, box=box.SIMPLE_HEAD)
    made.add_column("readers", no_wrap=True)
    columns: dict[str, Callable[[Replayed], str | float]] = {
        "seconds": lambda one: one.seconds,
        "orders/s": lambda one: one.orders / one.seconds,
        "deliveries/s": lambda one: one.deliveries_per_s,
        "pushes": lambda one: one.pushes,
        "merged": lambda one: one.merged,
        "CPU %": lambda one: one.cpu_share * 100,
        "lag p99 ≤ ms": lambda one: one.lag_p99_s * 1000,
        "RSS MiB": lambda one: one.rss_mib,
    }
    for name in columns:
        made.add_column(name, justify="right")
    for how, each in rounds.items():
        figures = [median(float(figure(one)) for one in each) for figure in columns.values()]
        made.add_row(how, f"{figures[0]:.1f}", *(f"{figure:,.0f}" for figure in figures[1:]))
    return made


def main() -> None:
    """Build, replay, print."""
    name, *numbers = sys.argv[1:] or [""]
    if len(numbers) > 2 or not all(word.isdigit() and int(word) for word in numbers):
        sys.exit(
            "bench_replay: give a recorded market, and at most the numbers of readers and rounds"
        )
    if not name:
        # As one of all benchmarks: none of them ends the others for what is not on this machine.
        print("bench_replay: give a recorded market; none is in the repository")
        return
    recording = Path(name)
    if not recording.is_file():
        sys.exit(f"bench_replay: there is no file {recording}")
    symbol = symbol_of(recording)
    readers, count_of_rounds = (*map(int, numbers), *(READERS, ROUNDS)[len(numbers) :])
    try:
        build()
    except BuildError as error:
        sys.exit(f"bench_replay: {error}")
    rounds: dict[str, list[Replayed]] = {}
    for _ in range(count_of_rounds):
        for how, (book_ms, kline_ms) in INTERVALS_MS.items():
            for count in (0, readers) if book_ms else (readers,):
                name = f"{count:,}, {how}" if count else "none"
                told = replayed(recording, symbol, count, book_ms, kline_ms)
                rounds.setdefault(name, []).append(told)
    console = Console(width=120)
    console.print(machine())
    console.print(table(recording, rounds))


if __name__ == "__main__":
    main()
