"""A crowd of clients on the other core: they connect, and stay as long as the context lasts. See `held.c`."""

import contextlib
import json
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.fanout.building import BUILT
from benchmarks.fanout.servers import LOAD_CORE, Served
from benchmarks.running import started

SPARE_FILES = 200
"""Descriptors that a process has open besides its connections."""


class TooFewFiles(Exception):
    """The machine's limit of descriptors; the message says what is wanted and how to have it."""


@dataclass(frozen=True)
class Told:
    """What a crowd was told, and how late. Times in microseconds."""

    pushes: int
    """That anyone was told, by their stamps."""
    told: int
    """By all readers together."""
    merged: int
    """That a push said it stands for."""
    delay_p50_us: float
    """From the server's stamp, or else from the go, to a reader."""
    delay_p99_us: float
    delay_max_us: float
    behind_p50_us: float
    """From the first reader to a reader."""
    behind_p99_us: float
    behind_max_us: float
    last_p50_us: float
    """From the first reader to the last one."""
    cpu_share: float
    """Of one core, the server's."""


class Crowd:
    """Clients that are connected."""

    def __init__(self, served: Served, process: subprocess.Popen[str]) -> None:
        self._served = served
        self._process = process
        self.seconds = float(self._line()["seconds"])
        """From the first connect to the last client's last answer."""

    def measure(self, seconds: float) -> Told:
        """Have the conductor go on for so long, after a second to warm up."""
        stdin = self._process.stdin
        assert stdin is not None
        cpu_s = self._served.cpu_s()
        stdin.write(f"{seconds}\n")
        stdin.flush()
        assert self._out.readline() == "measured\n"
        share = (self._served.cpu_s() - cpu_s) / (seconds + 1)
        return Told(**self._line(), cpu_share=share)  # type: ignore[arg-type]  # JSON's whole numbers are

    def _line(self) -> dict[str, float]:
        line = self._out.readline()
        if not line:
            self._process.wait()
            assert self._process.stderr is not None
            raise RuntimeError(f"the crowd ended: {self._process.stderr.read()}")
        told: dict[str, float] = json.loads(line)
        return told

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


@contextlib.contextmanager
def held(
    served: Served, count: int, hello: Sequence[str], texts: int, pace_us: int | None = None
) -> Iterator[Crowd]:
    """`count` clients that have said the hello and had so many texts. With a pace, a conductor of theirs
    goes once in so many microseconds while it is measured.
    """
    with tempfile.TemporaryDirectory() as folder:

        def written(name: str, lines: Sequence[str]) -> str:
            path = Path(folder) / name
            path.write_text("\n".join(lines))
            return str(path)

        words = [served.port, int(served.tls), count, texts, served.path, written("hello", hello)]
        if pace_us is not None:
            words += [
                written("conductor", served.conductor()),
                written("go", (served.answer, *served.go)),
                pace_us,
                served.least,
                int(served.stamped),
            ]
        pinned = ("taskset", "-c", str(LOAD_CORE), str(BUILT / "held"))
        with started([*pinned, *map(str, words)]) as process:
            yield Crowd(served, process)


def allow_files(connections: int) -> None:
    """Let this process, and those that it starts from now on, have so many. Raises TooFewFiles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise TooFewFiles(
            f"{connections:,} connections need {wanted:,} descriptors a process, and the hard limit is "
            f"{hard:,}: raise it (ulimit -Hn {wanted}, or LimitNOFILE) and come again"
        )
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
