"""A disk that fails or is full: nothing more is acknowledged, everyone is told, and nothing is lost."""

import asyncio
import contextlib
import os
import re
import resource
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.journal import JournalError
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.journal.sqlite import WAL_NAME
from jayx_stream.model.events import Commit
from tests.doors.command import CONFIG, DEADLINE_S, run, served
from tests.doors.running import venue
from tests.doors.trader import ALICE, Trader

STRACE = shutil.which("strace")
FILE_BYTES_MAX = 300_000


class FailingJournal(MemoryJournal):
    """Appends until it is told that the disk is broken."""

    broken = False

    async def append(self, commits: Sequence[Commit]) -> None:
        if self.broken:
            raise JournalError("the disk is broken")
        await super().append(commits)


async def ready(at: EmbeddedVenue | httpx.AsyncClient) -> bool:
    if isinstance(at, EmbeddedVenue):
        return at.not_ready is None
    return (await at.get("/ready")).status_code == HTTPStatus.OK


async def test_readiness_goes_false_with_the_first_order_that_fails() -> None:
    journal = FailingJournal()
    async with venue(journal=journal) as running, running.http() as http:
        alice = Trader(http, ALICE)
        await alice.place("BUY", 1, 100)
        assert await ready(http)
        last_seq, journal.broken = journal.last_seq, True
        answer = await alice.call("POST", "order", order("refused"))
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.json()["code"] == "UNAVAILABLE"
        assert not await ready(running.venue)
        answer = await http.get("/ready")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "the exchange failed" in answer.text
        journal.broken = False
        answer = await alice.call("POST", "order", order("later"))
        assert answer.json()["code"] == "UNAVAILABLE"
        assert journal.last_seq == last_seq
        with pytest.raises(JournalError, match="the disk is broken"):
            await running.venue.exchange_end()


def order(name: str) -> dict[str, object]:
    return {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "lots": 1,
        "ticks": 100,
        "clientOrderId": name,
    }


def limit_files() -> None:
    """A disk with room for little, as far as this process is concerned."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))


async def trade_until_it_ends(
    folder: Path, before: Sequence[str], prepare: Callable[[], None] | None
) -> tuple[list[str], int, str]:
    """Serve from a folder, placing orders, until the server ends; the names of the orders that were
    acknowledged, the exit code, and what was said on the standard error.
    """
    config = folder / "venue.toml"
    config.write_text(CONFIG)
    arguments = ("serve", "--config", config, "--port", "0", "--data-dir", folder / "data")
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-m", "jayx_stream", *map(str, arguments)),
        stdout=PIPE,
        stderr=PIPE,
        preexec_fn=prepare,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            line = (await process.stdout.readline()).decode()
            port = re.search(r"ws://127\.0\.0\.1:(\d+)/", line)
            assert port is not None, line
            acknowledged = await place_until_refused(int(port[1]))
            _, complaints = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return acknowledged, process.returncode, complaints.decode()


async def place_until_refused(port: int) -> list[str]:
    acknowledged: list[str] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        alice = Trader(http, ALICE)
        for number in range(5000):
            answer = await alice.call("POST", "order", order(f"n{number}"))
            if answer.status_code != HTTPStatus.OK:
                assert answer.json()["code"] == "UNAVAILABLE", answer.text
                with contextlib.suppress(httpx.TransportError):
                    assert not await ready(http)
                return acknowledged
            acknowledged.append(f"n{number}")
    raise AssertionError("nothing failed")


async def see_that_all_is_there(folder: Path, acknowledged: Sequence[str]) -> None:
    code, output, complaints = await run("journal", "verify", "--data-dir", folder / "data")
    assert code == 0, output + complaints
    async with served(folder) as server, server.http() as http:
        alice = Trader(http, ALICE)
        for name in acknowledged:
            found, _ = await alice.done("GET", f"order?clientOrderId={name}")
            assert found["clientOrderId"] == name
        await alice.place("BUY", 1, 100)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ("fdatasync", "EIO", "disk I/O error"),
        ("pwrite64", "EIO", "disk I/O error"),
        ("pwrite64", "ENOSPC", "database or disk is full"),
    ],
)
async def test_a_failing_disk_stops_the_venue(
    tmp_path: Path, call: str, error: str, said: str
) -> None:
    if STRACE is None:
        assert os.environ.get("CI") != "true", "strace is missing; .ci/run installs it"
        pytest.skip("strace is not installed (apt-get install strace)")
    (tmp_path / "data").mkdir()
    at = {"fdatasync": "40", "pwrite64": "90+"}[call]
    options = ("-f", "-qq", "-o", os.devnull, f"--trace={call}")
    path = f"--trace-path={tmp_path / 'data' / WAL_NAME}"
    inject = f"--inject={call}:error={error}:when={at}"
    acknowledged, code, complaints = await trade_until_it_ends(
        tmp_path, (STRACE, *options, path, inject), None
    )
    assert len(acknowledged) > 10
    assert code == 1
    last_line = complaints.splitlines()[-1]
    assert last_line.startswith("jayx-stream: ")
    assert f"can't be made durable: {said}" in last_line
    assert "Traceback" not in complaints
    await see_that_all_is_there(tmp_path, acknowledged)


async def test_a_full_disk_stops_the_venue_and_with_room_it_goes_on(tmp_path: Path) -> None:
    acknowledged, code, complaints = await trade_until_it_ends(tmp_path, (), limit_files)
    assert len(acknowledged) > 10
    assert code == 1
    assert complaints.splitlines()[-1].startswith("jayx-stream: ")
    assert "Traceback" not in complaints
    await see_that_all_is_there(tmp_path, acknowledged)
