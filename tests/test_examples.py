"""The examples, and the shell lines of the tutorial, run as they stand against a real venue."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.sandbox import BOB, served_venue, signed, trade
from tests.test_docs import ROOT, TUTORIAL, blocks

WITHIN_S = 20


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def output(*command: str) -> list[str]:
    """What a command prints; it has to end well, and in time."""
    async with running(*command) as process, asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode().splitlines()


async def example(name: str, *arguments: str) -> list[str]:
    return await output(sys.executable, f"examples/{name}.py", *arguments)


async def test_watch_shows_the_first_push_of_all_four_streams() -> None:
    async with served_venue() as at:
        lines = await example("watch", f"ws://{at}/", "clmsionk21ru", "4")
    assert [line.split()[1] for line in lines] == ["kline", "orderbook", "positions", "openorders"]


async def test_place_order_places_one_order_and_finds_it_again() -> None:
    async with served_venue() as at:
        placed, found = await example("place_order", "BUY", "0.001", "50000", f"http://{at}")
        answer = await signed(at, "GET", "/api/v1/trader/openorders")
    assert placed == found
    assert "'state': 'NEW'" in placed
    assert [order["quantity"] for order in answer.json()["data"]] == ["0.001"]


async def test_place_order_takes_another_key() -> None:
    async with served_venue() as at:
        await example("place_order", "BUY", "0.001", "50000", f"http://{at}", *BOB)
        answer = await signed(at, "GET", "/api/v1/trader/openorders", key=BOB)
    assert len(answer.json()["data"]) == 1


async def test_keep_book_tells_the_best_prices_and_counts_trades() -> None:
    async with served_venue() as at:
        command = (sys.executable, "examples/keep_book.py", at, "BTCUSDT", "0")
        async with running(*command) as process, asyncio.timeout(WITHIN_S):
            assert process.stdout is not None
            first = (await process.stdout.readline()).decode()
            await trade(at)
            while "0.000300 @ 60000.00" not in (line := (await process.stdout.readline()).decode()):
                assert line
    assert first.endswith("0 new trades, 0 missed\n")
    assert "2 new trades, 0 missed" in line or "1 new trades, 0 missed" in line


async def tutorial_commands(at: str) -> list[Any]:
    """Run the tutorial's curl lines in one shell; gives their answers."""
    lines = [block.text for block in blocks(TUTORIAL, "sh") if "curl" in block.text]
    assert len(lines) == 2
    script = "\n".join(lines).replace("127.0.0.1:8443", at).replace("curl ", "curl -sS -w '\\n' ")
    return [json.loads(line) for line in await output("bash", "-c", script)]


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not all(map(shutil.which, ("bash", "curl", "openssl"))),
    reason="needs bash, curl and openssl",
)
async def test_the_shell_lines_of_the_tutorial_place_and_cancel_an_order() -> None:
    async with served_venue() as at:
        placed, canceled = await tutorial_commands(at)
    assert placed["code"] == "OK"
    assert [order["id"] for order in canceled["data"]] == [placed["data"]["id"]]
    assert canceled["seq"] > placed["seq"]
