"""Readers who behave badly, each kind in a process of its own (`bad.c`); and what the server says of them."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.fanout.building import BUILT
from benchmarks.fanout.servers import LOAD_CORE
from benchmarks.running import started

PONG_EVERY_S = 10
NAMESPACE, HERE_END, THERE_END = "jayx-bad", "jayx-bad-0", "jayx-bad-1"
HERE, THERE = "10.213.7.1", "10.213.7.2"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Kind:
    """A way to be slow."""

    name: str
    bytes_a_second: int = 0
    pongs: bool = False
    """It says now and then that it is alive, so that it is not cut for its silence."""
    vanishes: bool = False


STOPS = Kind("stops reading")
STAYS = Kind("stops reading, says it is alive", pongs=True)
DRIBBLES = Kind("reads 16 bytes a second", bytes_a_second=16, pongs=True)
VANISHES = Kind("vanishes without a word", vanishes=True)
ALL = (STOPS, STAYS, DRIBBLES, VANISHES)


class Cable:
    """To a network namespace, so that readers there can be cut off without a word. Needs root and `ip`; where
    there is none, whoever is to vanish is stopped (SIGSTOP) instead: its kernel still says that it is there.
    """

    def __init__(self) -> None:
        self.is_laid = False

    @contextlib.contextmanager
    def laid(self) -> Iterator["Cable"]:
        """While the context lasts."""
        self._take_up()
        lay = (
            f"ip netns add {NAMESPACE}",
            f"ip link add {HERE_END} type veth peer name {THERE_END} netns {NAMESPACE}",
            f"ip addr add {HERE}/30 dev {HERE_END}",
            f"ip link set {HERE_END} up",
            f"ip -n {NAMESPACE} addr add {THERE}/30 dev {THERE_END}",
            f"ip -n {NAMESPACE} link set {THERE_END} up",
        )
        try:
            self.is_laid = all(map(_does, lay))
            yield self
        finally:
            self._take_up()

    def pull(self) -> None:
        """Nothing passes any more."""
        _does(f"ip -n {NAMESPACE} link set {THERE_END} down")

    def plug_in(self) -> None:
        """Everything passes."""
        _does(f"ip -n {NAMESPACE} link set {THERE_END} up")

    def _take_up(self) -> None:
        _does(f"ip link del {HERE_END}")
        _does(f"ip netns del {NAMESPACE}")

    @property
    def told(self) -> str:
        """How readers vanish, for people."""
        if self.is_laid:
            return "behind a cable that is pulled (network namespace)"
        return "in a process that is stopped (no network namespace here)"


def _does(command: str) -> bool:
    try:
        return subprocess.run(command.split(), check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def reading(
    port: int, kind: Kind, count: int, texts: Sequence[str], cable: Cable
) -> Iterator[None]:
    """So many readers of a kind, who have subscribed, while the context lasts."""
    through = kind.vanishes and cable.is_laid
    pongs = PONG_EVERY_S if kind.pongs else 0
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(texts))
        file.flush()
        numbers = (port, count, kind.bytes_a_second, pongs)
        words = [str(BUILT / "bad"), HERE if through else LOOPBACK, *map(str, numbers)]
        words = ["taskset", "-c", str(LOAD_CORE), *words, "/", file.name]
        if through:
            cable.plug_in()
            words = ["ip", "netns", "exec", NAMESPACE, *words]
        with started(words) as process:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"those who {kind.name} could not begin")
            if through:
                cable.pull()
            elif kind.vanishes:
                os.killpg(process.pid, signal.SIGSTOP)
            yield


@dataclass(frozen=True)
class Seen:
    """What a server says of its slow readers."""

    connections: int
    behind: int
    queue_bytes: int
    merged: int
    closes: dict[str, int]
    """By code, and who said it."""


def seen(operator_port: int) -> Seen:
    """Ask for its figures."""
    url = f"http://{LOOPBACK}:{operator_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        text = answer.read().decode()
    closes = re.findall(
        r'^jayx_closes_total\{by="(\w+)",code="(\w+)",door="websocket"\} (\S+)', text, re.MULTILINE
    )
    return Seen(
        connections=_figure("connections", text),
        behind=_figure("readers_behind", text),
        queue_bytes=_figure("queue_bytes", text),
        merged=_figure("merged_total", text),
        closes={f"{code} by {by}": round(float(count)) for by, code, count in closes},
    )


def _figure(name: str, text: str) -> int:
    """Its sum over all labels; 0 if it was never counted."""
    found = re.findall(rf"^jayx_{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return round(sum(map(float, found)))
