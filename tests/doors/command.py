"""The real command in a process of its own."""

import asyncio
import contextlib
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

DEADLINE_S = 30.0

CONFIG = """\
[limits]
orders_per_s = 0
http_requests_per_s = 0

[admin]
port = 0

[[instruments]]
symbol = "BTCUSDT"
base = "BTC"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"
maker_fee = "0.002"
taker_fee = "0.002"

[[accounts]]
name = "alice"
deposits = { BTC = "100", USDT = "1000000" }

[[accounts.keys]]
api_key = "clmsionk21ru"
secret = "alice-secret"
permissions = ["read", "trade"]

[[accounts]]
name = "bob"
deposits = { BTC = "100", USDT = "1000000" }

[[accounts.keys]]
api_key = "bobsandboxkey1"
secret = "bob-secret"
permissions = ["read", "trade"]
"""


async def start(*arguments: str | Path) -> Process:
    """`jayx-stream` with these arguments."""
    command = (sys.executable, "-m", "jayx_stream", *map(str, arguments))
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, output and complaints of a command that ends by itself."""
    process = await start(*arguments)
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, complaints = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return process.returncode, output.decode(), complaints.decode()


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Served:
    """A process that serves."""

    process: Process
    ready: str
    """The line that it printed."""
    port: int

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, verify=False
        )

    async def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Signal the process; exit code, further output and complaints."""
        self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            output, complaints = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, output.decode(), complaints.decode()


@contextlib.asynccontextmanager
async def served(folder: Path, text: str = CONFIG) -> AsyncIterator[Served]:
    """A venue whose configuration and journal are in a folder; killed at the end, if it still runs."""
    config = folder / "venue.toml"
    config.write_text(text)
    process = await start("serve", "--config", config, "--port", "0", "--data-dir", folder / "data")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            line = (await process.stdout.readline()).decode()
        match = re.search(r"wss?://127\.0\.0\.1:(\d+)/", line)
        if match is None:
            process.kill()
            _, complaints = await process.communicate()
            raise AssertionError(f"not ready: {line}{complaints.decode()}")
        yield Served(process, line, int(match[1]))
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
