"""Runs rows against one server, each beside the same bystander."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.doors import command
from tests.hostile.attack import Attacker
from tests.hostile.bystander import Bystander, Served
from tests.hostile.rows import Row

CONFIG = command.CONFIG.replace("orders_per_s = 0", "handshake_s = 1").replace(
    "http_requests_per_s = 0\n", ""
)
CONFIG += "\n[streams]\ndeflate = true\n"
"""All limits are those of the defaults, but for the deadlines of handshakes; compression may be had."""
ROW_WITHIN_S = 60.0
SERVED_WITHIN_S = 10.0
"""While a row goes on, and `PATIENCE` times what it took before, when the machine alone made it slow."""
PATIENCE = 20


@dataclass(frozen=True)
class Outcome:
    """What came of a row."""

    row: Row
    answer: str
    before: Served
    during: Served


class Stage:
    """A server, and someone who is served on it."""

    def __init__(self, port: int, bystander: Bystander) -> None:
        self._port = port
        self._bystander = bystander

    async def run(self, row: Row, *, samples: int) -> Outcome:
        """Let the bystander be served for so many pings before, and at least as many while the row goes
        on, again and again.
        """
        loop = asyncio.get_running_loop()
        await self._bystander.served(at_least=0)
        began_s = loop.time()
        before = await self._bystander.served(samples)
        within_s = SERVED_WITHIN_S + PATIENCE * (loop.time() - began_s)
        served = asyncio.create_task(self._bystander.served(samples, within_s))
        attacker = Attacker(self._port)
        async with asyncio.timeout(ROW_WITHIN_S + within_s):
            answer = await row.attack(attacker)
            while not served.done():
                answer = await row.attack(Attacker(self._port))
        return Outcome(row, answer, before, await served)


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """A server of its own."""
    async with command.served(folder, CONFIG) as served:
        bystander = await Bystander.begin(served.port)
        try:
            yield Stage(served.port, bystander)
        finally:
            await bystander.end()
