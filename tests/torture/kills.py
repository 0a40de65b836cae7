"""The real server is killed at random points while clients trade over REST, and started again on what
it left. What it had acknowledged must be there: once, as far as it was told, and with all the money.
"""

import asyncio
import shutil
import signal
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import httpx

from jayx_stream.app.recovery import exchange_fold, projections_fold, recover
from jayx_stream.engine import Exchange, state_hash
from jayx_stream.engine.audit import audit
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.events import Commit, OrderPlaced
from jayx_stream.projections import Projections
from tests.doors import command
from tests.doors.trader import ALICE, BOB, Trader
from tests.torture import Report

CONFIG = f"""\
{command.CONFIG}
[data]
checkpoint_commits = 40
"""
KILLS_PER_JOURNAL = 40
CLIENTS = 4
DELAY_S = (0.005, 0.5)
"""Of life between ready and the kill."""
UNREADY_SHARE = 0.1
"""Of kills that come before the server is ready, some of them within recovery."""
STOPPING_SHARE = 0.1
"""Of kills that come soon after SIGTERM, some of them within the last checkpoint."""
REPLAY_EVERY = 8
"""Crashes between two comparisons of the whole journal's fold with checkpoint and tail."""
ASKED_AGAIN = 12
"""Acknowledged orders that are placed again after each start, beside those without an answer."""
ENDED = ("FILLED", "CANCELED")
DEADLINE_S = 30.0
WHO = {"alice": ALICE, "bob": BOB}


@dataclass
class Told:
    """How much of an order was acknowledged at most."""

    account: str
    body: dict[str, Any]
    id: int | None = None
    """None: it was sent, and no answer came."""
    exec: int = 0
    state: str = ""

    def learn(self, answer: dict[str, Any]) -> None:
        """Take an answer in. Raises AssertionError if it takes an earlier one back."""
        assert self.id in (None, answer["id"]), f"{self.body}: was {self.id}, is {answer['id']}"
        # Two answers may come in another order than they were made.
        if answer["exec"] >= self.exec and self.state not in ENDED:
            self.exec, self.state = answer["exec"], answer["state"]
        self.id = answer["id"]

    def check(self, id: int, executed: int, state: str) -> None:
        """After a crash: nothing of what was told is taken back."""
        assert id == self.id, f"{self.body}: was acknowledged as {self.id}, is {id}"
        assert executed >= self.exec, f"order {id}: {self.exec} were executed, are {executed}"
        if self.state in ENDED:
            now = (executed, state)
            assert now == (self.exec, self.state), f"order {id} was {self.state}, is {now}"


@dataclass
class Market:
    """One journal's whole life: what clients know of it, over all servers that ran on it."""

    folder: Path
    random: Random
    orders: dict[str, Told] = field(default_factory=dict)
    """By client order id."""
    seq: int = 0
    """The greatest that was acknowledged."""
    crashes: int = 0

    @property
    def known(self) -> list[Told]:
        """What was acknowledged."""
        return [told for told in self.orders.values() if told.id is not None]

    async def place(self, http: httpx.AsyncClient, name: str) -> None:
        """Place the order of this name, for the first time or again."""
        told = self.orders[name]
        answer, seq = await Trader(http, WHO[told.account]).done("POST", "order", told.body)
        told.learn(answer)
        self.seq = max(self.seq, seq)

    def order(self, name: str) -> None:
        """Make an order up."""
        random = self.random
        body = {
            "symbol": "BTCUSDT",
            "side": random.choice(("BUY", "SELL")),
            "type": random.choices(("LIMIT", "IOC", "MARKET"), (8, 1, 1))[0],
            "lots": random.randint(1, 300),
            "clientOrderId": name,
        }
        if body["type"] != "MARKET":
            body["ticks"] = 6_000_000 + random.randint(-6, 6)
        self.orders[name] = Told(random.choice(("alice", "bob")), body)

    async def trade(self, http: httpx.AsyncClient, client: int) -> None:
        """One client: places, cancels, and places again, until the server is gone."""
        number = 0
        while True:
            number += 1
            chance = self.random.random()
            known = self.known[-40:]
            if chance < 0.2 and known:
                await self.cancel(http, self.random.choice(known))
            elif chance < 0.3 and known:
                await self.place(http, self.random.choice(known).body["clientOrderId"])
            else:
                name = f"{self.crashes}-{client}-{number}"
                self.order(name)
                await self.place(http, name)

    async def cancel(self, http: httpx.AsyncClient, told: Told) -> None:
        """Cancel an order, if it is still open."""
        response = await Trader(http, WHO[told.account]).call("DELETE", f"order?id={told.id}")
        answer = response.json()
        if response.status_code == 200:
            told.learn(answer["data"])
            self.seq = max(self.seq, answer["seq"])
        else:
            assert answer["code"] == "UNKNOWN_ORDER", answer

    async def ask_again(self, http: httpx.AsyncClient) -> None:
        """Whatever has no answer, and some that has, is placed again: nothing is placed twice."""
        unanswered = [name for name, told in self.orders.items() if told.id is None]
        answered = [told.body["clientOrderId"] for told in self.known]
        again = self.random.sample(answered, min(ASKED_AGAIN, len(answered)))
        before = {name: (self.orders[name].id, self.orders[name].exec) for name in again}
        for name in (*again, *unanswered):
            await self.place(http, name)
        for name, (id, executed) in before.items():
            told = self.orders[name]
            assert told.id == id, f"{name} was {id}, is {told.id}"
            seen, _ = await Trader(http, WHO[told.account]).done("GET", f"order?id={id}")
            assert seen["exec"] >= executed, f"the gateway shows {seen}, {executed} were told"
            assert seen["clientOrderId"] == name
        ids = Counter(told.id for told in self.known)
        assert max(ids.values(), default=1) == 1, f"one id for two orders: {ids.most_common(1)}"


@dataclass
class Fold:
    """What a journal comes to."""

    exchange: Exchange = field(default_factory=Exchange)
    projections: Projections = field(default_factory=Projections)
    placed: Counter[str] = field(default_factory=Counter)
    """By client order id, as far as commits were folded one by one."""
    checkpoint_seq: int = 0

    def follow(self, commits: list[Commit] | tuple[Commit, ...]) -> None:
        for commit in commits:
            self.projections.apply(commit)
            for event in commit.events:
                if isinstance(event, OrderPlaced) and event.client_order_id is not None:
                    self.placed[event.client_order_id] += 1

    async def read(self, folder: Path, *, checkpoints: bool) -> int:
        """Fold what a folder holds, as a start does; gives the last seq."""
        journal = await SqliteJournal.open(folder)
        try:
            folds = (
                exchange_fold(self.exchange),
                projections_fold(self.projections, self.follow),  # type: ignore[arg-type]
            )
            recovered = await recover(journal, folds, folder if checkpoints else None)
            self.checkpoint_seq = recovered.checkpoint_seq
            return journal.last_seq
        finally:
            await journal.close()


class Campaign:
    """So many kills, on as many journals as it takes."""

    def __init__(self, folder: Path, seed: int, kills: int) -> None:
        self.report = Report("kill -9 under order flow")
        self._folder = folder
        self._kills = kills
        self._random = Random(seed)
        self._began_s = perf_counter()
        self.starts_s: list[float] = []
        self.from_checkpoint = 0
        self.compared = 0
        self.orders = 0
        """Acknowledged ones, each counted once; the report counts each look."""

    async def run(self) -> None:
        """Until the kills are done. Raises AssertionError at the first thing that is wrong."""
        done = 0
        while done < self._kills:
            folder = self._folder / f"journal-{done}"
            folder.mkdir()
            (folder / "venue.toml").write_text(CONFIG)
            # Of its own: how far clients come is chance, but when is killed is the seed's.
            market = Market(folder, Random(done))
            for _ in range(min(KILLS_PER_JOURNAL, self._kills - done)):
                await self._crash(market)
                done += 1
                market.crashes += 1
                whole = market.crashes % REPLAY_EVERY == 0 or done == self._kills
                await self._check(market, whole=whole)
                if done % 100 == 0:
                    print(f"  {done} kills, {self.report.acknowledged:,} acknowledged", flush=True)
            self.orders += len(market.known)
            shutil.rmtree(folder, ignore_errors=True)
        self.report.seconds = perf_counter() - self._began_s

    async def _crash(self, market: Market) -> None:
        """One server's life, to its violent end."""
        random = self._random
        config, data = market.folder / "venue.toml", market.folder / "data"
        began_s = perf_counter()
        process = await command.start(
            "serve", "--config", config, "--port", "0", "--data-dir", data
        )
        try:
            if market.crashes and random.random() < UNREADY_SHARE:
                await asyncio.sleep(random.uniform(0.1, 0.35))
                self.report.outcomes["before ready"] += 1
                return
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE_S):
                line = (await process.stdout.readline()).decode()
            self.starts_s.append(perf_counter() - began_s)
            if "ws://127.0.0.1:" not in line:
                _, complaints = await process.communicate()
                raise AssertionError(f"not ready: {line}{complaints.decode()}")
            self.from_checkpoint += "checkpoint of commit" in line
            port = int(line.split("ws://127.0.0.1:")[1].split("/")[0])
            await self._live(market, process, port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def _live(self, market: Market, process: asyncio.subprocess.Process, port: int) -> None:
        """Ask again, then trade until the kill."""
        random = self._random
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await market.ask_again(http)
            clients = [asyncio.create_task(market.trade(http, each)) for each in range(CLIENTS)]
            await asyncio.sleep(random.uniform(*DELAY_S))
            stopping = random.random() < STOPPING_SHARE
            if stopping:
                process.send_signal(signal.SIGTERM)
                await asyncio.sleep(random.uniform(0.0, 0.05))
            if process.returncode is None:
                process.kill()
            self.report.outcomes["stopping" if stopping else "trading"] += 1
            for end in await asyncio.gather(*clients, return_exceptions=True):
                if isinstance(end, AssertionError) and stopping and "UNAVAILABLE" in str(end):
                    continue
                if not isinstance(end, httpx.TransportError):
                    raise AssertionError(f"a client ended by {end!r}") from end

    async def _check(self, market: Market, *, whole: bool) -> None:
        """Look at a copy of what the dead server left, before the next one gets it."""
        data, copy = market.folder / "data", market.folder / "copy"
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.tmp"))
        fold = Fold()
        last_seq = await fold.read(copy, checkpoints=True)
        assert last_seq >= market.seq, f"commit {market.seq} was acknowledged, {last_seq} is last"
        audit(fold.exchange)
        for told in market.known:
            order = fold.exchange.find(told.account, None, told.body["clientOrderId"])
            assert order is not None, f"{told} is lost"
            told.check(order.order_id, order.executed_lots, order.state)
        self.report.acknowledged += len(market.known)
        if whole:
            await self._compare(market, copy, fold)
        shutil.rmtree(copy)

    async def _compare(self, market: Market, copy: Path, resumed: Fold) -> None:
        """The fold of the whole journal is that of checkpoint and tail, and names are placed once."""
        fold = Fold()
        await fold.read(copy, checkpoints=False)
        assert state_hash(fold.exchange) == state_hash(resumed.exchange)
        assert fold.projections.state() == resumed.projections.state()
        twice = [name for name, count in fold.placed.items() if count > 1]
        assert not twice, f"placed more than once: {twice}"
        strangers = fold.placed.keys() - market.orders.keys()
        assert not strangers, f"nobody placed {strangers}"
        self.compared += 1

    def summary(self) -> str:
        """For people."""
        return (
            f"  {self.orders:,} orders acknowledged, all there, each once; "
            f"{self.compared} comparisons of state hashes (whole journal = checkpoint + tail), "
            f"{self.from_checkpoint} of {len(self.starts_s)} starts from a checkpoint; "
            f"start to ready: median {statistics.median(self.starts_s):.2f} s, "
            f"longest {max(self.starts_s):.2f} s"
        )
