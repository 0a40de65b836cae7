"""What durability costs: the same venue on the SQLite journal and on one in memory, in the same run.

Passive LIMIT orders, one commit each, as many at once as there are clients: into the desk of an
exchange's loop, with neither views nor sockets; then over REST, signed, with all that a venue does.
"""

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvloop

from benchmarks import bench_orders
from benchmarks.running import CONFIG, machine, percentile, pin_load
from jayx_stream.app.clock import system_clock
from jayx_stream.app.config import load
from jayx_stream.app.exchange import ExchangeLoop
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.desk.local import LocalDesk
from jayx_stream.engine import Exchange
from jayx_stream.feed.local import LocalFeed
from jayx_stream.journal import Journal
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.answers import Done
from jayx_stream.model.commands import Deposit, ListInstrument, OpenAccount, PlaceOrder
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side

ROUNDS = 3
SECONDS = 1.5
CLIENTS = (1, 16, 64)
JOURNALS = ("memory", "SQLite")
BTCUSDT = Instrument.define(
    symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
)

Measured = tuple[float, list[float]]
"""Orders a second, and all answer times in seconds."""


async def journal_of(name: str, folder: str) -> Journal:
    return MemoryJournal() if name == "memory" else await SqliteJournal.open(Path(folder))


async def desk(name: str, clients: int) -> Measured:
    """Into the exchange's loop, from this process."""
    with tempfile.TemporaryDirectory() as folder:
        journal = await journal_of(name, folder)
        exchange = Exchange(open_orders_max=0)
        asked = LocalDesk(system_clock)
        run = asyncio.create_task(
            ExchangeLoop(exchange, asked, journal, LocalFeed(journal.read)).run()
        )
        await asyncio.sleep(0)
        await asked.submit(ListInstrument(instrument=BTCUSDT))
        await asked.submit(OpenAccount(account="alice"))
        await asked.submit(Deposit(account="alice", asset="USDT", units=10**18, reference="all"))
        began_s = time.perf_counter()
        until_s = began_s + SECONDS
        times = await asyncio.gather(*(_ask(asked, until_s) for _ in range(clients)))
        rate = sum(map(len, times)) / (time.perf_counter() - began_s)
        asked.close("over")
        await run
        await journal.close()
        return rate, [each for one in times for each in one]


async def _ask(asked: LocalDesk, until_s: float) -> list[float]:
    times: list[float] = []
    while time.perf_counter() < until_s:
        order = PlaceOrder(
            account="alice",
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            lots=1,
            limit_ticks=5_000_000 + len(times) % 1000,
        )
        began_s = time.perf_counter()
        answer = await asked.submit(order)
        times.append(time.perf_counter() - began_s)
        assert isinstance(answer, Done), answer
    return times


@contextlib.contextmanager
def served(name: str) -> Iterator[int]:
    """A whole venue in a child process on the first core; gives its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_serve, args=(name, folder, theirs), daemon=True)
        process.start()
        assert process.pid is not None
        os.sched_setaffinity(process.pid, {0})
        try:
            yield ours.recv()
        finally:
            process.terminate()
            process.join()


def _serve(name: str, folder: str, port: multiprocessing.connection.Connection) -> None:
    async def run() -> None:
        path = Path(folder) / "venue.toml"
        path.write_text(CONFIG)
        config = load(path, port=0)
        venue = EmbeddedVenue(config, await journal_of(name, folder), system_clock)
        await venue.recover()
        port.send(await venue.start())
        await asyncio.Event().wait()

    uvloop.run(run())


def measure(title: str, one: Callable[[str, int], Awaitable[Measured]]) -> None:
    """All journals in turn, round by round."""
    print(f"\n{title}")
    print(f"{'clients':>7}  {'':<7} {'orders/s':>9} {'p50 ms':>7} {'p99 ms':>7} {'of memory':>10}")
    for clients in CLIENTS:
        rows: dict[str, list[Measured]] = {name: [] for name in JOURNALS}
        for _ in range(ROUNDS):
            for name in JOURNALS:
                rows[name].append(uvloop.run(_run(one, name, clients)))
        limit = statistics.median(rate for rate, _ in rows["memory"])
        for name, rounds in rows.items():
            rate = statistics.median(rate for rate, _ in rounds)
            times = [each * 1000 for _, some in rounds for each in some]
            print(
                f"{clients:>7}  {name:<7} {rate:>9,.0f} {percentile(times, 50):>7.2f}"
                f" {percentile(times, 99):>7.2f} {rate / limit:>9.2f}x",
                flush=True,
            )


async def _run(one: Callable[[str, int], Awaitable[Measured]], name: str, clients: int) -> Measured:
    return await one(name, clients)


def main() -> None:
    """Measure and print."""
    print(f"What a sync of the disk before each answer costs; {machine()}")
    measure("Into the exchange's loop", desk)
    bench_orders.SECONDS = SECONDS
    with served("memory") as memory, served("SQLite") as sqlite:
        pin_load()
        ports = {"memory": memory, "SQLite": sqlite}

        async def rest(name: str, clients: int) -> Measured:
            return await bench_orders.load(ports[name], bench_orders.maker(), clients)

        measure("Over REST, signed", rest)


if __name__ == "__main__":
    main()
