"""One run of the load against one server, on the other core."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.fanout.building import BUILT
from benchmarks.fanout.servers import LOAD_CORE, Served


@dataclass(frozen=True)
class Load:
    """What a run gave."""

    deliveries_per_s: float
    changes_per_s: float
    """That reached readers, each reader's counted: of a server that merges, what its pushes stand for; else
    its pushes, for it may answer what it only queues.
    """
    cpu_us: float
    """Of the server, for one delivery; connects and subscriptions are in it."""
    push_bytes: float
    first_p50_us: float
    first_p99_us: float
    last_p50_us: float
    last_p99_us: float
    rounds: int
    rss_kib: int


def median_of(runs: Sequence[Load], figure: Callable[[Load], float]) -> float:
    """The median of what `figure` takes of each run."""
    return median(map(figure, runs))


def load(
    served: Served,
    readers: int,
    seconds: float,
    *,
    window: int,
    pause_us: int = 0,
    stamped: bool = False,
) -> Load:
    """Let so many readers read for so long, with `window` goes under way at once. With `stamped` times run
    from the `ts` of a push, in microseconds of the monotonic clock, not from the go.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = []
        spoken = (served.reader, served.conductor(), (served.answer, *served.go))
        for number, lines in enumerate(spoken):
            path = Path(folder) / str(number)
            path.write_text("\n".join(lines))
            files.append(str(path))
        cpu_s = served.cpu_s()
        numbers: tuple[float, ...] = (served.port, int(served.tls), readers, seconds, window)
        numbers += (pause_us, served.least, int(stamped), served.answers)
        offer = {"LOAD_OFFER": served.offer} if served.offer else {}
        ended = subprocess.run(
            [
                "taskset",
                "-c",
                str(LOAD_CORE),
                str(BUILT / "load"),
                *map(str, numbers),
                served.path,
                *files,
            ],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=False,
            env=os.environ | offer,
        )
        if ended.returncode:
            raise RuntimeError(f"the load ended: {ended.stderr}")
        cpu_s = served.cpu_s() - cpu_s
    told = json.loads(ended.stdout)
    pushes = max(1, told["pushes"])
    return Load(
        deliveries_per_s=told["pushes"] / told["seconds"],
        changes_per_s=(told["goes"] * readers if served.merges else told["pushes"])
        / told["seconds"],
        cpu_us=cpu_s * 1e6 / max(1, told["all_pushes"]),
        push_bytes=told["bytes"] / pushes,
        first_p50_us=told["first_p50_us"],
        first_p99_us=told["first_p99_us"],
        last_p50_us=told["last_p50_us"],
        last_p99_us=told["last_p99_us"],
        rounds=told["rounds"],
        rss_kib=served.rss_kib(),
    )
