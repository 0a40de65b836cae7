"""The real JavaScript client, in a process of its own."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.raw import DEADLINE_S

HERE = Path(__file__).parent
PACKAGES = HERE / "package.json"
INSTALLED = Path(sys.prefix) / "javascript-clients"
"""Beside the Python packages, and gone with them."""

LINE_BYTES_MAX = 1_000_000


def installed() -> Path:
    """The folder in which `package.json` is installed. Skips the test where that can't be, except in
    CI.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        _go_without("node and npm are not installed")
    done = INSTALLED / "package.json"
    if not done.exists() or done.read_text() != PACKAGES.read_text():
        shutil.rmtree(INSTALLED, ignore_errors=True)
        making = INSTALLED.with_name(f"{INSTALLED.name}.{os.getpid()}")
        making.mkdir(parents=True)
        shutil.copy(PACKAGES, making)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        install = subprocess.run(command, cwd=making, capture_output=True, text=True, check=False)
        if install.returncode:
            shutil.rmtree(making)
            _go_without(f"npm can't install the clients: {install.stderr[-500:]}")
        making.rename(INSTALLED)
    return INSTALLED


def _go_without(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class JavaScriptClient:
    """One socket; all that happens to it comes in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def command(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def emit(self, event: str, *arguments: Any, ack: bool = False) -> None:
        await self.command(emit=[event, *arguments], ack=ack)

    async def disconnect(self) -> None:
        await self.command(disconnect=True)

    async def happened(self) -> dict[str, Any]:
        """The next thing."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            line = await self._process.stdout.readline()
        assert line, "the client's process has ended"
        happened: dict[str, Any] = json.loads(line)
        return happened

    async def expect(self, *kinds: str) -> dict[str, Any]:
        """The next thing of one of these kinds; what comes before is passed over."""
        while True:
            happened = await self.happened()
            if happened.keys() & set(kinds):
                return happened


@contextlib.asynccontextmanager
async def javascript_client(url: str, **options: Any) -> AsyncIterator[JavaScriptClient]:
    """`io(url, options)`, while the context lasts; it does not connect again by itself."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "socketio.mjs"),
        str(installed()),
        url,
        json.dumps(options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    try:
        yield JavaScriptClient(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
