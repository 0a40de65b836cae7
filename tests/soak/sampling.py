"""Looks at a server from outside: what the kernel knows of its process, and what its own figures say."""

import asyncio
import re
from pathlib import Path
from time import perf_counter

from prometheus_client.parser import text_string_to_metric_families

from tests.doors import raw
from tests.soak.judging import Held, Sample

SETTLED_WITHIN_S = 30.0
BETWEEN_LOOKS_S = 0.05
SAME_LOOKS = 10
TRIES = 3

Figures = dict[str, float]
"""By name without `jayx_`; those with labels are added up."""


class Sampler:
    """One server, seen again and again."""

    def __init__(self, pid: int, operator_port: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._port = operator_port
        self._began_s = perf_counter()
        self.figures: Figures = {}
        """Of the last look."""

    async def look(self) -> Sample:
        """One sample. Each asks on a connection of its own, which is over before the next look."""
        status = (self._folder / "status").read_text()
        descriptors = len(list((self._folder / "fd").iterdir()))
        figures = self.figures = await self._scrape()
        return Sample(
            at_s=perf_counter() - self._began_s,
            rss_kib=_number("VmRSS", status),
            seq=int(figures["seq"]),
            held=Held(
                descriptors=descriptors,
                threads=_number("Threads", status),
                tasks=int(figures["tasks"]),
                connections=int(figures["connections"]),
                streams=int(figures["streams"]),
                subscriptions=int(figures["subscriptions"]),
                queue_bytes=int(figures["queue_bytes"]),
                readers_behind=int(figures["readers_behind"]),
                commands_waiting=int(figures["commands_waiting"]),
                open_orders=int(figures["open_orders"]),
            ),
        )

    async def at_rest(self) -> Held:
        """What is held for nobody: once the last client was found to have gone, and it has been the same
        for a while. A session by polling that nobody ended is found out when it was silent for too long.
        """
        held = [(await self.look()).held]
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while held[-1].connections or held[-SAME_LOOKS:] != held[-1:] * SAME_LOOKS:
                await asyncio.sleep(BETWEEN_LOOKS_S)
                held.append((await self.look()).held)
        return held[-1]

    async def back_at(self, base: Held) -> Held:
        """Wait until as much is held as before; what is held, whether or not it came to that in time."""
        end_s = perf_counter() + SETTLED_WITHIN_S
        held = (await self.look()).held
        while held != base and perf_counter() < end_s:
            await asyncio.sleep(BETWEEN_LOOKS_S)
            held = (await self.look()).held
        return held

    async def _scrape(self) -> Figures:
        for _ in range(TRIES):
            # Nothing at all comes if the machine stands still for longer than a request may take.
            answer = await self._ask()
            if answer:
                break
        head, _, text = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), f"the server's figures were asked for: {answer!r}"
        figures: Figures = {}
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                name = sample.name.removeprefix("jayx_")
                figures[name] = figures.get(name, 0.0) + sample.value
        return figures

    async def _ask(self) -> bytes:
        async with await raw.connect(self._port) as client:
            headers = {"Host": f"127.0.0.1:{self._port}", "Connection": "close"}
            await client.send(raw.head("/metrics", headers))
            return await client.ended()


def _number(name: str, status: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    assert found is not None, f"no {name} in {status}"
    return int(found[1])
