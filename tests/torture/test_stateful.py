"""Commands, crashes, stops and checkpoints in any order: what comes back is what was acknowledged.

The model is a driver without a disk that is asked the same; a crash may cost it commands from the end,
but none that was answered.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jayx_stream.app.exchange import ExchangeLoop
from jayx_stream.app.recovery import exchange_fold, recover
from jayx_stream.desk.local import LocalDesk
from jayx_stream.engine import Exchange, state_hash
from jayx_stream.engine.audit import audit
from jayx_stream.feed.local import LocalFeed
from jayx_stream.journal.checkpoints import Checkpoint, draft, settle
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.commands import Command
from tests.engine.driving import OPEN_ORDERS_MAX, Driver, crowd, opening
from tests.torture import FULL

seeds = st.integers(0, 2**32)
counts = st.integers(1, 40)


class Venue(RuleBasedStateMachine):
    """An exchange on a real journal, and what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folders = Path(tempfile.mkdtemp(prefix="stateful-"))
        self.folder = self.folders / "0"
        self.folder.mkdir()
        self.stage = Driver()
        """What crowds look at: the exchange and its clock."""
        self.asked: list[tuple[int, Command]] = []
        self.answered = 0
        """Of those asked, how many had their answers."""

    @initialize()
    def open(self) -> None:
        self.runner.run(self._start())
        self.runner.run(self._ask(list(opening())))

    @rule(seed=seeds, count=counts)
    def trade(self, seed: int, count: int) -> None:
        self.runner.run(self._trade(seed, count))

    @rule(seed=seeds, count=counts, turns=st.integers(0, 12))
    def crash(self, seed: int, count: int, turns: int) -> None:
        """The process dies while commands wait, are decided, or are written."""
        self.runner.run(self._crash(seed, count, turns))

    @rule()
    def stop(self) -> None:
        self.runner.run(self._stop())
        self.runner.run(self._start())

    @rule()
    def checkpoint(self) -> None:
        self.runner.run(self._checkpoint())

    @invariant()
    def everything_adds_up(self) -> None:
        if self.asked:
            audit(self.exchange)

    def teardown(self) -> None:
        if self.asked:
            self.runner.run(self._stop())
        self.runner.close()
        shutil.rmtree(self.folders)

    async def _start(self) -> None:
        """Recover, and compare with the model and with a replay of the whole journal."""
        self.journal = await SqliteJournal.open(self.folder)
        self.exchange = self.stage.exchange = Exchange(open_orders_max=OPEN_ORDERS_MAX)
        await recover(self.journal, [exchange_fold(self.exchange)], self.folder)
        model = Driver()
        for number, (time_ns, command) in enumerate(self.asked):
            if model.exchange.seq == self.exchange.seq and number >= self.answered:
                del self.asked[number:]
                break
            model.time_ns = time_ns
            model.ask(command)
        self.answered = len(self.asked)
        replayed = Exchange()
        async for commits in self.journal.read(0):
            for commit in commits:
                replayed.apply(commit)
        hashes = {state_hash(each) for each in (self.exchange, replayed, model.exchange)}
        assert len(hashes) == 1, "life, checkpoint with tail, and replay differ"
        self.desk = LocalDesk(lambda: self.stage.time_ns)
        loop = ExchangeLoop(self.exchange, self.desk, self.journal, LocalFeed(self.journal.read))
        self.serving = asyncio.create_task(loop.run())
        await asyncio.sleep(0)

    async def _ask(self, commands: list[Command]) -> None:
        for command in commands:
            self.asked.append((self.stage.time_ns, command))
            await self.desk.submit(command)
        self.answered = len(self.asked)

    async def _trade(self, seed: int, count: int) -> None:
        for command in crowd(Random(seed), self.stage, count):
            await self._ask([command])

    async def _crash(self, seed: int, count: int, turns: int) -> None:
        answers = []
        for command in crowd(Random(seed), self.stage, count):
            self.asked.append((self.stage.time_ns, command))
            answers.append(self.desk.submit(command))
        for _ in range(turns):
            await asyncio.sleep(0)
        self.answered += sum(answer.done() for answer in answers)
        # What a kill leaves: the files as they are now, copied by their own thread, since a copy takes
        # time and a kill none. The process that goes on is another world's.
        left = self.folder.with_name(str(int(self.folder.name) + 1))
        await self.journal._in_thread(shutil.copytree, self.folder, left)
        await self._stop()
        self.folder = left
        await self._start()

    async def _stop(self) -> None:
        self.desk.close("the exchange is stopping")
        await self.serving
        await self.journal.close()

    async def _checkpoint(self) -> None:
        seq = self.exchange.seq
        fold = exchange_fold(self.exchange)
        parts = {fold.name: fold.encode()}
        journal_hash = await self.journal.hash_at(seq)
        assert journal_hash is not None, f"commit {seq} ends no record"
        settle(draft(self.folder, Checkpoint(self.journal.epoch, seq, journal_hash, parts)))


Venue.TestCase.settings = settings(
    max_examples=300 if FULL else 25, stateful_step_count=20, deadline=None
)
TestVenue = Venue.TestCase
