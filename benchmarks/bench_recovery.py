"""How long a start takes: the real command, from the shell to ready, with a million events behind it.

Once with the whole journal to replay, once from a checkpoint of its end, once from a checkpoint with a
tail of 10,000 commits. Then what a checkpoint costs a venue that lives: the fork's pause, by open orders.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.crowd import Market, commit, opening
from benchmarks.running import CONFIG, machine, started
from jayx_stream.app.forked import fork
from jayx_stream.app.recovery import exchange_fold, projections_fold
from jayx_stream.engine import Exchange, decode_exchange
from jayx_stream.journal.checkpoints import Checkpoint, draft, settle
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.commands import Command, PlaceOrder
from jayx_stream.model.events import Commit
from jayx_stream.model.order import OrderType, Side
from jayx_stream.projections import Projections, decode_projections

EVENTS = 1_000_000
TAIL_COMMITS = 10_000
BATCH_COMMITS = 100
ROUNDS = 3
OPEN_ORDERS = (1_000, 10_000, 100_000)


class Venue:
    """Exchange and views that fill a journal."""

    def __init__(self) -> None:
        self.exchange, self.projections = Exchange(open_orders_max=0), Projections()
        self.events = 0
        self.batch: list[Commit] = []

    def do(self, command: Command) -> None:
        done = commit(self.exchange, command)
        if done is not None:
            self.projections.apply(done)
            self.events += len(done.events)
            self.batch.append(done)

    def checkpoint(self, journal: SqliteJournal, journal_hash: bytes) -> Checkpoint:
        folds = (
            exchange_fold(self.exchange),
            projections_fold(self.projections, lambda commits: None),
        )
        parts = {fold.name: fold.encode() for fold in folds}
        return Checkpoint(journal.epoch, self.exchange.seq, journal_hash, parts)


def market(seed: int) -> Iterator[Command]:
    """Orders that rest, cancels and orders that take, as in bench_engine, without end."""
    made = Market(Random(seed))
    yield from opening()
    yield from made.commands(2_000, [made.passive])
    kinds = [made.passive] * 5 + [made.cancel] * 4 + [made.taking]
    while True:
        yield from made.commands(1_000, kinds)


async def fill(folder: Path, events: int) -> int:
    """A journal of so many events, with a checkpoint near its end; gives the number of commits."""
    journal, venue, commands = await SqliteJournal.open(folder), Venue(), market(20240519)
    drafted = False
    while venue.events < events:
        while len(venue.batch) < BATCH_COMMITS:
            venue.do(next(commands))
        await journal.append(venue.batch)
        venue.batch.clear()
        if not drafted and venue.events > events - TAIL_COMMITS * 1.14:
            journal_hash = await journal.hash_at(journal.last_seq)
            assert journal_hash is not None
            draft(folder, venue.checkpoint(journal, journal_hash)).rename(folder / "near.kept")
            (folder / "near.seq").write_text(str(journal.last_seq))
            drafted = True
    last_seq = journal.last_seq
    await journal.close()
    return last_seq


def start_s(folder: Path) -> tuple[float, str]:
    """Seconds until the command is ready, and what it says of its recovery."""
    config = folder / "venue.toml"
    config.write_text(f"{CONFIG}\n[data]\ncheckpoint_commits = 0\n")
    arguments = ["serve", "--config", str(config), "--port", "0", "--data-dir", str(folder)]
    began_s = perf_counter()
    words = [sys.executable, "-m", "jayx_stream", *arguments]
    with started(words, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        took_s = perf_counter() - began_s
        process.terminate()
        process.communicate()
    return took_s, ready.split(": ")[-1].partition(", ")[2].strip()


def measure(name: str, folder: Path, files: Sequence[Path] = (), *, rounds: int = ROUNDS) -> None:
    """Start with these checkpoints only."""
    times = []
    for _ in range(rounds):
        for old in folder.glob("checkpoint-*.bin"):
            old.unlink()
        for file in files:
            seq = re.sub(r"\D", "", file.with_suffix(".seq").read_text())
            (folder / f"checkpoint-{seq}.bin").write_bytes(file.read_bytes())
        took_s, said = start_s(folder)
        times.append(took_s)
    size = f"{sum(file.stat().st_size for file in files) / 1e6:.2f} MB" if files else ""
    print(f"{name:28} {median(times):>8.2f} s   {size:>9}   {said}", flush=True)


def measure_starts() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began_s = perf_counter()
        commits = asyncio.run(fill(folder, EVENTS))
        size = (folder / "journal.sqlite").stat().st_size / 1e6
        print(f"{EVENTS:,} events in {commits:,} commits, {size:.0f} MB", end="")
        print(f", made in {perf_counter() - began_s:.0f} s")
        print(f"{'from the shell to ready':28} {'median':>10}   {'of state':>9}")
        measure("the same, and make history", folder, rounds=1)
        measure("the whole journal", folder)
        measure("checkpoint and tail", folder, [folder / "near.kept"])
        (folder / "near.kept").unlink()
        for old in folder.glob("checkpoint-*.bin"):
            old.unlink()
        began_s = perf_counter()
        subprocess.run(
            [sys.executable, "-m", "jayx_stream", "journal", "checkpoint", "--data-dir", name],
            check=True,
            capture_output=True,
        )
        took_s = perf_counter() - began_s
        (made,) = folder.glob("checkpoint-*.bin")
        (folder / "end.seq").write_text(made.stem)
        made.rename(folder / "end.kept")
        measure("checkpoint of the end", folder, [folder / "end.kept"])
        print(f"`jayx-stream journal checkpoint` of it all: {took_s:.1f} s")


async def measure_fork(count: int) -> None:
    """A venue with so many open orders."""
    venue = Venue()
    for command in opening():
        venue.do(command)
    for number in range(count):
        venue.do(resting(number))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = await SqliteJournal.open(folder)
        made = venue.checkpoint(journal, b"")

        def write() -> None:
            settle(draft(folder, venue.checkpoint(journal, b"")))

        forks_ms, writes_s = [], []
        for _ in range(5):
            began_s = perf_counter()
            child = fork(write)
            forks_ms.append((perf_counter() - began_s) * 1000)
            child.wait(60)
            writes_s.append(perf_counter() - began_s)
        await journal.close()
    began_s = perf_counter()
    Exchange().restore(decode_exchange(made.parts["exchange"]))
    Projections().restore(decode_projections(made.parts["projections"]))
    restored_s = perf_counter() - began_s
    size = sum(map(len, made.parts.values())) / 1e6
    print(
        f"{count:>12,} {size:>6.2f} MB {median(forks_ms):>6.1f} ms {median(writes_s):>11.2f} s"
        f" {restored_s:>10.2f} s",
        flush=True,
    )


async def measure_forks() -> None:
    print(
        f"\n{'open orders':>12} {'state':>9} {'fork':>9} {'in the child':>13} {'restored in':>12}"
    )
    for count in OPEN_ORDERS:
        await measure_fork(count)


def resting(number: int) -> PlaceOrder:
    side = (Side.BUY, Side.SELL)[number % 2]
    return PlaceOrder(
        account=f"trader{number % 100}",
        symbol="BTCUSDT",
        side=side,
        type=OrderType.LIMIT,
        lots=1 + number % 1000,
        limit_ticks=6_000_000 - number % 997 if side is Side.BUY else 6_000_001 + number % 997,
        client_order_id=f"name {number}",
    )


def main() -> None:
    print(machine())
    measure_starts()
    asyncio.run(measure_forks())


if __name__ == "__main__":
    main()
