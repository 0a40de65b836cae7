"""One soak: a server in a process of its own, everyone on it, and a look at it every few seconds."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

from jayx_stream.hub.crowd import LARGE
from tests.doors import command
from tests.soak.crowd import SYMBOLS, Crowd, Life, config, together
from tests.soak.judging import Sample, Verdict, judge
from tests.soak.readers import Member, PasserBy, Poller, Reader, SocketioReader
from tests.soak.sampling import Sampler
from tests.soak.traders import RestTrader, StreamTrader, cancel_everything, fill

LOOKS_A_RUN = 200
LOOK_EVERY_S = (0.2, 5.0)
"""At least and at most: a short run has enough looks, too, for a line through half of them."""
TELL_EVERY_S = 10.0
FILL_ORDERS = 12_000
"""Before a run whose memory is judged: more than anything remembers that has a bound."""
MEMORY_FROM_S = 60.0
"""A shorter run says nothing about memory."""
CROWD: dict[type[Life], int] = {
    Reader: 20,
    Member: 2 * LARGE,
    PasserBy: 5,
    SocketioReader: 6,
    Poller: 4,
    RestTrader: 3,
    StreamTrader: 3,
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of a whole run."""

    seconds: float
    verdict: Verdict
    counts: Counter[str]
    commits: int
    faults: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Nothing grew, nothing is left, nothing went wrong."""
        return not self.bad

    @property
    def bad(self) -> tuple[str, ...]:
        """All that is wrong. Of a run that was too short memory says nothing."""
        grown = self.verdict.grown if self.seconds >= MEMORY_FROM_S else ()
        return (*grown, *(f"left behind: {each}" for each in self.verdict.left), *self.faults)

    def line(self) -> str:
        """For people."""
        lives = sum(self.counts[kind.__name__] for kind in CROWD)
        memory = f" {self.verdict.told()};" if self.seconds >= MEMORY_FROM_S else ""
        return (
            f"soak: {self.seconds:,.0f} s, {lives:,} clients, {self.commits:,} commits, "
            f"{self.counts['orders']:,} orders, {self.counts['subscriptions']:,} subscriptions, "
            f"{self.counts['pushes']:,} pushes read;{memory} "
            + ("good" if self.is_good else f"{len(self.bad)} things are wrong")
        )


async def soak(
    folder: Path, seconds: float, seed: int, tell: Callable[[str], None] = print
) -> Outcome:
    """Run for so long; `tell` gets a line of progress every ten seconds."""
    random = Random(seed)
    operator_port = command.free_port()
    async with _served(folder, config(operator_port)) as crowd:
        sampler = Sampler(crowd.served.process.pid, operator_port)
        await warm_up(crowd, random, FILL_ORDERS if seconds >= MEMORY_FROM_S else 240)
        base = await sampler.at_rest()
        tell(f"before: {told(await sampler.look())}")
        named_before, samples = crowd.named_orders, list[Sample]()
        crowd.counts.clear()

        async def watch() -> None:
            await _watch(crowd, sampler, seconds, samples, tell)

        makes = [make for make, count in CROWD.items() for _ in range(count)]
        await together(crowd, makes, random, watch)
        await cancel_everything(crowd)
        end = await sampler.back_at(base)
        tell(f"after: {told(await sampler.look())}")
    return Outcome(
        seconds=samples[-1].at_s - samples[0].at_s,
        verdict=judge(
            samples,
            base,
            end,
            named_orders=crowd.named_orders - named_before,
            instruments=len(SYMBOLS),
        ),
        counts=crowd.counts,
        commits=samples[-1].seq - samples[0].seq,
        faults=tuple(crowd.wrong),
    )


async def warm_up(crowd: Crowd, random: Random, orders: int) -> None:
    """Everything has happened once: what is made at its first use is there."""
    await fill(crowd, random, orders)

    async def briefly() -> None:
        await crowd.pause(2.0)

    first = Crowd(
        crowd.served, named_orders=crowd.named_orders, faults=crowd.faults, cuts=crowd.cuts
    )
    await together(first, [*CROWD], random, briefly)
    crowd.named_orders = first.named_orders
    await cancel_everything(crowd)


async def _watch(
    crowd: Crowd,
    sampler: Sampler,
    seconds: float,
    samples: list[Sample],
    tell: Callable[[str], None],
) -> None:
    least_s, most_s = LOOK_EVERY_S
    every_s = min(max(seconds / LOOKS_A_RUN, least_s), most_s)
    began_s = told_s = perf_counter()
    while (now_s := perf_counter()) < began_s + seconds or len(samples) < 4:
        samples.append(await sampler.look())
        if now_s - told_s >= TELL_EVERY_S:
            told_s = now_s
            tell(told(samples[-1]))
        slept_s = perf_counter()
        await asyncio.sleep(every_s)
        late_s = perf_counter() - slept_s - every_s
        crowd.stood_still_s = max(crowd.stood_still_s, late_s)


def told(sample: Sample) -> str:
    """A line of progress."""
    held = sample.held
    return (
        f"{sample.at_s:6,.0f} s  RSS {sample.rss_kib:,} KiB, {held.descriptors} descriptors, "
        f"{held.threads} threads, {held.tasks} tasks; {held.connections} connections, "
        f"{held.subscriptions} subscriptions to {held.streams} streams; {held.queue_bytes:,} bytes wait "
        f"for {held.readers_behind}; commit {sample.seq:,}, {held.open_orders} orders open"
    )


@contextlib.asynccontextmanager
async def _served(folder: Path, text: str) -> AsyncIterator[Crowd]:
    """The server; what it writes to its log is a fault, and so is a bad end."""
    async with command.served(folder, text) as served:
        crowd = Crowd(served)
        reading = asyncio.create_task(_read_log(crowd))
        try:
            yield crowd
            await asyncio.wait([reading], timeout=0)
        finally:
            served.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(command.DEADLINE_S):
                await reading
                if await served.process.wait():
                    crowd.blame(f"the server ended with {served.process.returncode}")


async def _read_log(crowd: Crowd) -> None:
    log = crowd.served.process.stderr
    assert log is not None
    while line := await log.readline():
        crowd.blame(f"the server logged: {line.decode().rstrip()}")
