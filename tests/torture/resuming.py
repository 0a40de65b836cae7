"""Readers that are cut off at random while orders flow, and servers that are stopped and killed between:
by `since` alone each reader ends up with exactly the account's changes, in order.
"""

import asyncio
import contextlib
import json
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import httpx
import websockets

from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.order import OrderState
from jayx_stream.model.past import AccountChange
from jayx_stream.model.views import OrderChanges, Positions, View
from jayx_stream.projections import Projections, rows_of
from jayx_stream.wire.messages import encode_payload
from tests.doors import command
from tests.doors.trader import ALICE, BOB, Credentials, Trader
from tests.torture import Report

CONFIG = f"""\
{command.CONFIG}
[data]
checkpoint_commits = 150

[[instruments]]
symbol = "ETHUSDT"
base = "ETH"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.00001"
"""
SYMBOLS = ("BTCUSDT", "ETHUSDT")
STREAMS = ("openorders", "positions")
READ_S = (0.0, 0.15)
"""Between a reader's subscription and its cut."""
KILLED, STOPPED = 0.2, 0.08
"""Share of cuts at which the server goes as well: by SIGKILL, by SIGTERM."""
DEADLINE_S = 30.0

Told = tuple[int, bytes]
"""Seq and payload of a push."""


@dataclass
class Reader:
    """One who keeps what it was told, and the seq of the last, by stream."""

    symbol: str | None
    told: dict[str, list[Told]] = field(default_factory=lambda: {each: [] for each in STREAMS})
    since: dict[str, int] = field(default_factory=dict)
    first_seq: dict[str, int] = field(default_factory=dict)
    epoch: str | None = None

    def requests(self) -> str:
        """Both subscriptions, each from where it ended."""
        requests = []
        for event in STREAMS:
            message: dict[str, Any] = {"category": "spot", "apiKey": ALICE.key}
            if event == "openorders" and self.symbol:
                message["symbol"] = self.symbol
            if event in self.since:
                message |= {"since": self.since[event], "epoch": self.epoch}
            requests.append({"event": event, "message": message, "id": event})
        return json.dumps(requests)

    def take(self, text: str) -> None:
        """One message of the server."""
        message = json.loads(text)
        event = message["event"]
        if event == "ack":
            assert self.epoch in (None, message["message"]["epoch"])
            self.epoch = message["message"]["epoch"]
        elif event != "notice":
            assert event in STREAMS, text
            assert not {"reset", "merged"} & message.keys(), text
            if event in self.since:
                payload = json.dumps(message["message"]).encode()
                self.told[event].append((message["seq"], payload))
            else:
                self.first_seq[event] = message["seq"]
            self.since[event] = message["seq"]

    async def read(self, port: int, seconds: float, until_seq: int | None = None) -> None:
        """Resume, read for so long or until both streams have come so far, and be cut off."""
        with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
            async with asyncio.timeout(seconds):
                async with websockets.connect(f"ws://127.0.0.1:{port}/", proxy=None) as client:
                    try:
                        await client.send(self.requests())
                        while until_seq is None or min(self.seqs(), default=0) < until_seq:
                            self.take(str(await client.recv()))
                    finally:
                        client.transport.abort()

    def seqs(self) -> list[int]:
        """How far each stream has come; one of another symbol need not go on."""
        return [
            self.since.get(each, 0) for each in STREAMS if each != "openorders" or not self.symbol
        ]


class Campaign:
    """One venue, two traders, three readers, and what happens to them."""

    def __init__(self, folder: Path, seed: int, cuts: int) -> None:
        self._folder = folder
        self._random = Random(seed)
        self._cuts = cuts
        self._readers = [Reader(None), Reader(None), Reader("ETHUSDT")]
        self._up = asyncio.Event()
        self._enough = asyncio.Event()
        self.report = Report("resume by since")

    async def run(self) -> None:
        """Cut, compare, and count."""
        began_s = perf_counter()
        (self._folder / "venue.toml").write_text(CONFIG)
        await self._start()
        flows = [
            asyncio.create_task(self._trade(who, Random(self._random.random())))
            for who in (ALICE, ALICE, BOB)
        ]
        try:
            for _ in range(self._cuts):
                await self._cut()
            self._enough.set()
            await asyncio.gather(*flows)
            async with self._http() as http:
                _, seq = await Trader(http, ALICE).place("BUY", 1, 10, symbol="ETHUSDT")
            for reader in self._readers:
                await reader.read(self._port, DEADLINE_S, seq)
            await self._end(signal.SIGTERM)
        finally:
            for flow in flows:
                flow.cancel()
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._compare()
        self.report.seconds = perf_counter() - began_s

    async def _cut(self) -> None:
        reader = self._random.choices(self._readers, (6, 1, 3))[0]
        seconds = self._random.uniform(*READ_S)
        read = asyncio.create_task(reader.read(self._port, seconds + 0.02))
        chance = self._random.random()
        number = None
        if chance < KILLED + STOPPED:
            await asyncio.sleep(seconds * self._random.random())
            number = signal.SIGKILL if chance < KILLED else signal.SIGTERM
            await self._end(number)
        await read
        self.report.outcomes[number.name if number else "cut"] += 1
        if number:
            await self._start()

    async def _trade(self, who: Credentials, random: Random) -> None:
        """Orders and cancels, until there have been enough; a server that is gone is waited for."""
        placed: list[int] = []
        while not self._enough.is_set():
            await self._up.wait()
            with contextlib.suppress(httpx.TransportError):
                async with self._http() as http:
                    while self._up.is_set() and not self._enough.is_set():
                        await self._order(Trader(http, who), random, placed)

    async def _order(self, trader: Trader, random: Random, placed: list[int]) -> None:
        if placed and random.random() < 0.3:
            await trader.call("DELETE", f"order?id={placed.pop()}")
            return
        order = {
            "symbol": random.choice(SYMBOLS),
            "side": random.choice(("BUY", "SELL")),
            "type": random.choice(("LIMIT", "LIMIT", "LIMIT", "IOC", "MARKET")),
            "lots": random.randint(1, 9),
            "ticks": random.randint(1000, 1010),
        }
        if order["type"] == "MARKET":
            del order["ticks"]
        answer = await trader.call("POST", "order", order)
        if answer.status_code == 200:
            placed.append(answer.json()["data"]["id"])

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", trust_env=False)

    async def _start(self) -> None:
        folder = self._folder
        self._process = await command.start(
            "serve", "--config", folder / "venue.toml", "--port", "0", "--data-dir", folder / "data"
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            line = (await self._process.stdout.readline()).decode()
        match = re.search(r"ws://127\.0\.0\.1:(\d+)/", line)
        assert match is not None, line
        self._port = int(match[1])
        self._up.set()

    async def _end(self, number: signal.Signals) -> None:
        self._up.clear()
        self._process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            await self._process.communicate()

    async def _compare(self) -> None:
        """What each reader holds, with the fold of the journal."""
        journal = await SqliteJournal.open(self._folder / "data")
        projections, changes = Projections(), list[AccountChange]()
        async for commits in journal.read(0):
            for commit in commits:
                rows = rows_of(projections.apply(commit), projections)
                changes += [each for each in rows.changes if each.account == "alice"]
        await journal.close()
        for number, reader in enumerate(self._readers):
            for event in STREAMS:
                after_seq = reader.first_seq[event]
                symbol = reader.symbol if event == "openorders" else None
                expected = [
                    (change.seq, encode_payload(view, projections.instruments))
                    for change in changes
                    if change.seq > after_seq and (view := _view(event, change, symbol)) is not None
                ]
                self._judge(f"reader {number} of {event}", reader.told[event], expected)

    def _judge(self, who: str, told: list[Told], expected: list[Told]) -> None:
        self.report.acknowledged += len(expected)
        seqs, wanted = Counter(seq for seq, _ in told), Counter(seq for seq, _ in expected)
        lost, twice = wanted - seqs, seqs - wanted
        if lost or twice:
            self.report.failures.append(f"{who}: lost {sorted(lost)}, too many {sorted(twice)}")
        elif [(seq, json.loads(text)) for seq, text in told] != [
            (seq, json.loads(text)) for seq, text in expected
        ]:
            self.report.failures.append(f"{who}: out of order, or not as it was")


def _view(event: str, change: AccountChange, symbol: str | None) -> View | None:
    """What the change looks like on a stream, written here once more."""
    if event == "positions":
        return None if change.positions is None else Positions(change.positions)
    orders = [order for order in change.orders if symbol in (None, order.symbol)]
    is_gone = [order.state is OrderState.CANCELED for order in orders]
    cancel = tuple(order for order, gone in zip(orders, is_gone, strict=True) if gone)
    modify = tuple(order for order, gone in zip(orders, is_gone, strict=True) if not gone)
    return OrderChanges(cancel, modify) if orders else None
