"""Someone who is served while others attack: a process of its own, so that nothing but the server can
make it slow. Run as `python -m tests.hostile.bystander PORT`; for each line on its input it prints what
it saw since the line before, as one line of JSON.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import websockets
from websockets.asyncio.client import ClientConnection

CONNECTIONS = 10
PAUSE_S = 0.025
"""Between two pings of one connection: what the limits let everyone do."""
BOOK = {"category": "spot", "symbol": "BTCUSDT", "precise": "1"}
DEADLINE_S = 60.0
"""Where nobody attacks, so that only the machine can be slow."""


@dataclass(frozen=True)
class Served:
    """How someone was served for a while."""

    pings: int
    """Answered, on each connection its part of those that were waited for at least."""
    p50_ms: float
    p99_ms: float
    max_ms: float


class Bystander:
    """The bystander's process, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, port: int) -> "Bystander":
        """It is connected when this returns."""
        arguments = (sys.executable, "-m", "tests.hostile.bystander", str(port))
        pipe = asyncio.subprocess.PIPE
        root = Path(__file__).parents[2]
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=pipe, stdout=pipe, cwd=root
        )
        made = cls(process)
        await made.served(at_least=0)
        return made

    async def served(self, at_least: int, within_s: float = DEADLINE_S) -> Served:
        """Since the last call; waits until at least so many pings were answered, alike on all connections.
        Raises TimeoutError.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"%d\n" % at_least)
        async with asyncio.timeout(within_s + at_least * PAUSE_S):
            line = await self._process.stdout.readline()
        assert line, "the bystander was not served any more"
        return Served(**json.loads(line))

    async def end(self) -> None:
        """Whether or not it was served to the end."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def _ping(client: ClientConnection, waits_s: list[float]) -> None:
    """Ask and wait for the answer, again and again; pushes come between."""
    number = 0
    while True:
        number += 1
        began_s = perf_counter()
        await client.send(json.dumps({"event": "ping", "message": {}, "id": number}))
        async with asyncio.timeout(DEADLINE_S):
            while json.loads(await client.recv()).get("id") != number:
                pass
        waits_s.append(perf_counter() - began_s)
        await asyncio.sleep(PAUSE_S)


def _summed(waits_s: list[float]) -> str:
    hundredths = quantiles(waits_s, n=100) if len(waits_s) > 1 else [0.0] * 99
    figures = (hundredths[49], hundredths[98], max(waits_s, default=0.0))
    p50_ms, p99_ms, max_ms = (round(figure * 1000, 2) for figure in figures)
    return json.dumps({"pings": len(waits_s), "p50_ms": p50_ms, "p99_ms": p99_ms, "max_ms": max_ms})


async def _answer_lines(waits_s: list[list[float]]) -> None:
    """`waits_s`: of each connection."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        while min(map(len, waits_s)) * CONNECTIONS < int(line):
            await asyncio.sleep(PAUSE_S)
        print(_summed([wait_s for each in waits_s for wait_s in each]), flush=True)
        for each in waits_s:
            each.clear()


async def main(port: int) -> None:
    """Be served until the input ends."""
    waits_s: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    address = f"ws://127.0.0.1:{port}/"
    clients = [await websockets.connect(address, proxy=None) for _ in range(CONNECTIONS)]
    subscription = json.dumps({"event": "orderbook", "message": BOOK})
    for client in clients:
        await client.send(subscription)
    pinging = zip(clients, waits_s, strict=True)
    ends = [asyncio.create_task(_ping(client, waited_s)) for client, waited_s in pinging]
    ends.append(asyncio.create_task(_answer_lines(waits_s)))
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
