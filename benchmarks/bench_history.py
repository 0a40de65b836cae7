"""How fast is history written, how large is it, and how long does a question take?

Rows are those of traders who place, cancel and trade LIMIT orders; the file is on this machine's disk.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from benchmarks.running import machine, percentile
from jayx_stream.engine import Exchange
from jayx_stream.history.sqlite import FILE_NAME, SqliteHistory
from jayx_stream.model.commands import (
    AdvanceClock,
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
)
from jayx_stream.model.events import Commit
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.past import KlineRange, Page, Rows
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import MINUTE_NS
from jayx_stream.projections import Projections, rows_of

COMMITS = 200_000
ACCOUNTS = [f"trader{number}" for number in range(20)]
EVERY_NS = 500_000_000
"""Between two commits."""


def commits() -> list[Commit]:
    """A market's life."""
    random, exchange, made = Random(1), Exchange(), list[Commit]()
    time_ns = 0

    def do(command: Command) -> None:
        nonlocal time_ns
        time_ns += EVERY_NS
        for each in (AdvanceClock(minute_ns=time_ns), command):
            if each is command or time_ns >= exchange.minute_ns + MINUTE_NS:
                events = exchange.decide(each)
                if events and not isinstance(events, Refused):
                    made.append(Commit(exchange.seq + 1, time_ns, events))
                    exchange.apply(made[-1])

    terms = {"base": "BTC", "quote": "USDT", "tick_size": "0.01", "lot_size": "0.000001"}
    do(ListInstrument(instrument=Instrument.define(symbol="BTCUSDT", **terms)))  # type: ignore[arg-type]
    for account in ACCOUNTS:
        do(OpenAccount(account=account))
        for asset in ("BTC", "USDT"):
            do(Deposit(account=account, asset=asset, units=10**16, reference=asset))
    while len(made) < COMMITS:
        account = random.choice(ACCOUNTS)
        if random.random() < 0.4 and exchange.orders:
            order = random.choice(list(exchange.orders.values())[:50])
            do(CancelOrder(account=order.account, order_id=order.order_id))
            continue
        side = random.choice((Side.BUY, Side.SELL))
        ticks = 6_000_000 + random.randint(-50, 20) * (1 if side is Side.BUY else -1)
        order_ = {"symbol": "BTCUSDT", "side": side, "type": OrderType.LIMIT, "lots": 1000}
        do(PlaceOrder(account=account, limit_ticks=ticks, **order_))  # type: ignore[arg-type]
    return made


async def asked(name: str, ask: Callable[[], Awaitable[object]], count: int = 200) -> None:
    """Time one question."""
    times = []
    for _ in range(count):
        began_s = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began_s) * 1000)
    print(f"{name:<44} {percentile(times, 50):>8.2f} {percentile(times, 99):>8.2f}")


async def measure(rows: list[Rows], folder: Path, last_s: int) -> None:
    """Write, then ask."""
    history = await SqliteHistory.open(folder, "bench", 10**9)
    began_s = time.perf_counter()
    for each in rows:
        history.append(each)
        if each.seq % 500 == 0:
            await history.room()
            await asyncio.sleep(0)
    await history.flush()
    seconds = time.perf_counter() - began_s
    count, size = sum(each.count for each in rows), (folder / FILE_NAME).stat().st_size
    print(
        f"written: {len(rows) / seconds:,.0f} commits/s, {count / seconds:,.0f} rows/s, "
        f"{size / len(rows):.0f} bytes a commit, {count / len(rows):.1f} rows a commit"
    )
    print(f"{'question':<44} {'p50 ms':>8} {'p99 ms':>8}")
    random, symbols, page = Random(2), ["BTCUSDT"], Page(100)
    await asked("100 newest past orders", lambda: history.orders(ACCOUNTS[3], symbols, page))
    await asked(
        "100 past orders from some time on",
        lambda: history.orders(
            ACCOUNTS[3], symbols, Page(100, from_ms=random.randint(0, last_s * 1000))
        ),
    )
    await asked("100 newest fills", lambda: history.fills(ACCOUNTS[3], symbols, page))
    await asked("1,000 public trades", lambda: history.trades("BTCUSDT", Page(1000, before=9000)))
    wanted = KlineRange("BTCUSDT", 60, 0, last_s, 1000, newest=True)
    await asked("1,000 klines", lambda: history.klines(wanted))
    await asked(
        "200 changes after some commit",
        lambda: history.changes(ACCOUNTS[3], random.randint(0, len(rows)), 200),
    )
    await history.close()


def main() -> None:
    """Measure and print."""
    print(f"History on SQLite, {COMMITS:,} commits of {len(ACCOUNTS)} traders; {machine()}")
    gc.disable()  # all rows are held here, which no venue does
    projections, made = Projections(), commits()
    began_s = time.perf_counter()
    for commit in made:
        projections.apply(commit)
    plain_s = time.perf_counter() - began_s
    projections = Projections()
    began_s = time.perf_counter()
    rows = [rows_of(projections.apply(commit), projections) for commit in made]
    fold_s = time.perf_counter() - began_s
    print(f"rows made: {(fold_s - plain_s) / len(rows) * 1e6:.1f} us a commit beside its fold")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        asyncio.run(measure(rows, Path(folder), made[-1].time_ns // 10**9))


if __name__ == "__main__":
    main()
