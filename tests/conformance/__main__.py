"""`make conformance SUITES=FOLDER`: the official suites, on our classes and on our peers', as a table.

FOLDER has checkouts of socketio/engine.io-protocol and socketio/socket.io-protocol. Autobahn's cases
come with the package kosoku. Nothing of theirs is kept here.
"""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median_low

ROOT = Path(__file__).parents[2]
SUITE_PORT = 3000
"""It stands in the suites."""

RUNS = 3
START_WITHIN_S = 15.0
LARGE_GROUPS = ("9.*",)
DEFLATE_GROUPS = ("12.*", "13.*")
"""Of Autobahn: large messages, which are left out, and compression, for which there is a column."""

WIDTHS = (17, 12, 12, 12, 11, 12)


@contextlib.contextmanager
def served(name: str, port: int) -> Iterator[None]:
    """One of `servers`, while the context lasts."""
    command = [sys.executable, "-m", "tests.conformance.servers", name, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + START_WITHIN_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end_s:
                sys.exit(f"the server {name} does not start on port {port}")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def suite(folder: Path, name: str, server: str) -> str:
    """Cases passed and cases, the median of some runs."""
    tests = folder / name / "test-suite"
    if not (tests / "test-suite.js").exists():
        sys.exit(f"{tests} has no test-suite.js: SUITES names a folder with a checkout of {name}")
    if not (tests / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=tests, check=True)
    passed, cases = [], 0
    failed: dict[str, None] = {}
    for _ in range(RUNS):
        with served(server, SUITE_PORT):
            command = ["npx", "mocha", "test-suite.js", "--reporter", "json", "--exit"]
            run = subprocess.run(command, cwd=tests, capture_output=True, text=True, check=False)
        report = json.loads(run.stdout[run.stdout.index("{") :])
        cases = report["stats"]["tests"]
        passed.append(report["stats"]["passes"])
        failed.update((failure["fullTitle"], None) for failure in report["failures"])
    for title in failed:
        print(f"{server}: {title}", file=sys.stderr)
    return f"{median_low(passed)}/{cases}"


def autobahn(server: str) -> tuple[str, str]:
    """Core cases passed and cases, and how many of them are called non-strict."""
    words = [word for group in LARGE_GROUPS + DEFLATE_GROUPS for word in ("-x", group)]
    cases = cases_of(server, words)
    non_strict = sum("NON-STRICT" in _behavior(case) for case in cases.values())
    return _passed(cases), str(non_strict)


def autobahn_deflate(server: str) -> str:
    """Cases of compression passed and cases."""
    return _passed(cases_of(server, [word for group in DEFLATE_GROUPS for word in ("-i", group)]))


def cases_of(server: str, words: list[str]) -> dict[str, dict[str, str]]:
    """What came of the cases that these words choose; prints those that failed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(server, port), tempfile.TemporaryDirectory() as reports:
        kosoku = str(Path(sys.executable).with_name("kosoku"))
        command = [kosoku, *words, "-p", "4", "-o", reports, f"127.0.0.1:{port}"]
        subprocess.run(command, capture_output=True, check=False)
        [cases] = json.loads((Path(reports) / "index.json").read_text()).values()
    for each, case in cases.items():
        if _FAILED & {*_behavior(case)}:
            print(f"{server}: Autobahn {each}", file=sys.stderr)
    found: dict[str, dict[str, str]] = cases
    return found


_FAILED = {"FAILED", "ERROR", "UNIMPLEMENTED"}


def _passed(cases: dict[str, dict[str, str]]) -> str:
    failed = sum(bool(_FAILED & {*_behavior(case)}) for case in cases.values())
    return f"{len(cases) - failed}/{len(cases)}"


def _behavior(case: dict[str, str]) -> tuple[str, ...]:
    close = case["behaviorClose"]
    return case["behavior"], "FAILED" if close == "WRONG CODE" else close


def row(*cells: str) -> None:
    print("".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)), flush=True)


def main(folder: Path) -> None:
    """Print the table; exit 1 if a case fails here."""
    row("", "Engine.IO", "Socket.IO", "Autobahn", "non-strict", "deflate")
    ours = [
        suite(folder, "engine.io-protocol", "suites"),
        suite(folder, "socket.io-protocol", "suites"),
        *autobahn("echo"),
        autobahn_deflate("echo"),
    ]
    row("jayx-stream", *ours)
    row(
        "python-socketio",
        suite(folder, "engine.io-protocol", "python-engineio"),
        suite(folder, "socket.io-protocol", "python-socketio"),
        "",
        "",
        "",
    )
    row("websockets", "", "", *autobahn("websockets"), "")
    counts = [cell.split("/") for cell in ours if "/" in cell]
    if any(passed != count for passed, count in counts):
        sys.exit(1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("make conformance SUITES=FOLDER, with checkouts of the two protocols in FOLDER")
    main(Path(sys.argv[1]))
