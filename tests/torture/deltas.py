"""Clients that rebuild books from `mode: delta` over a bad network, and what they hold at each seq
compared with the engine's book at that seq, folded from the journal.
"""

import asyncio
import contextlib
import json
import socket
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from random import Random
from time import perf_counter

import websockets
from msgspec.json import encode

from jayx_stream.client.book import BookGap, BookReplica
from jayx_stream.doors import websocket as door
from jayx_stream.engine import Exchange
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.commands import CancelAll, CancelOrder, Command, PlaceOrder
from jayx_stream.model.events import Commit, Traded
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import Level, Orderbook, PublicTrade
from jayx_stream.wire.channels import PUSHED_TRADES
from tests.doors.running import Running, configured, limits, venue
from tests.torture import Report
from tests.torture.proxy import BadNetwork

SYMBOL = "BTCUSDT"
MIDDLE_TICKS = 6_000_000
VIEWS = ((1, 50), (1, 5), (10, 20), (100, 10))
"""Precise and depth of the streams that clients read."""
INTERVAL_MS = 40
DEADLINE_S = 60.0

Seen = tuple[int, bytes]
"""A seq, and the digest of the book that was held at it."""


def digest(book: Orderbook) -> bytes:
    return blake2b(encode(book), digest_size=12).digest()


class Client:
    """One who holds one view of the book, and connects again whenever it is cut off."""

    def __init__(self, view: tuple[int, int]) -> None:
        self.precise, self.depth = self.view = view
        self.seen: list[Seen] = []
        self.replica = BookReplica()
        self.resumed = self.wholes = self.changes = self.merged = 0
        self.gaps: list[str] = []

    async def run(self, port: int) -> None:
        """Read until canceled."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with websockets.connect(
                    f"ws://127.0.0.1:{port}/", proxy=None, compression=None, close_timeout=0.1
                ) as connection:
                    await self._read(connection)

    async def _read(self, connection: websockets.ClientConnection) -> None:
        message = {
            "category": "spot",
            "symbol": SYMBOL,
            "precise": self.precise,
            "depth": self.depth,
            "mode": "delta",
        }
        await connection.send(json.dumps({"event": "orderbook", "message": message}))
        is_first = True
        async for text in connection:
            envelope = json.loads(text)
            assert envelope["event"] == "orderbook", text
            if is_first:
                assert "prev" not in envelope, "the first push of a connection is whole"
                self.resumed += bool(self.seen)
                is_first = False
            self.wholes += "prev" not in envelope
            self.changes += "prev" in envelope
            self.merged += envelope.get("merged", 0)
            try:
                self.replica.apply_text(text)
            except BookGap as gap:
                self.gaps.append(str(gap))
                return
            assert self.replica.view is not None
            self.seen.append((self.replica.seq, digest(self.replica.view)))


class Campaign:
    """One venue, its market, many clients and the network between."""

    def __init__(self, seed: int, clients: int, commands: int) -> None:
        self._random = Random(seed)
        self._commands = commands
        self._clients = [Client(VIEWS[number % len(VIEWS)]) for number in range(clients)]
        self._journal = MemoryJournal()
        self.report = Report(f"{clients} books by mode: delta")
        self.told: Counter[str] = Counter()
        """What clients were told, and how often they went on after a cut."""

    async def run(self) -> None:
        """Trade, disturb, compare, and count."""
        began_s = perf_counter()
        bounds = limits(queue_bytes=2000, connections_per_address=0)
        config = configured(bounds, orderbook_interval_ms=INTERVAL_MS)
        async with venue(config, journal=self._journal) as running:
            _shrink_send_buffers(running)
            network = BadNetwork(Random(self._random.random()), running.port)
            async with network.serve() as port:
                readers = [asyncio.create_task(client.run(port)) for client in self._clients]
                try:
                    await self._trade(running)
                    network.is_calm = True
                    await self._all_read_up_to(await self._last_change(running), readers)
                finally:
                    for reader in readers:
                        reader.cancel()
                    await asyncio.gather(*readers, return_exceptions=True)
        await self._compare()
        self._count(network)
        self.report.seconds = perf_counter() - began_s

    async def _trade(self, running: Running) -> None:
        for number in range(self._commands):
            await running.venue.submit(self._command())
            if number % 4 == 0:
                await asyncio.sleep(0.005)

    def _command(self) -> Command:
        random = self._random
        account = random.choice(("alice", "bob"))
        kind = random.random()
        if kind < 0.002:
            return CancelAll(account=account)
        if kind < 0.35:
            return CancelOrder(account=account, order_id=random.randint(1, self._commands))
        side = random.choice((Side.BUY, Side.SELL))
        away = int(random.expovariate(1 / 150)) - 20
        ticks = MIDDLE_TICKS - away if side is Side.BUY else MIDDLE_TICKS + away
        return PlaceOrder(
            account=account,
            symbol=SYMBOL,
            side=side,
            type=OrderType.LIMIT,
            lots=random.randint(1, 999),
            limit_ticks=ticks,
        )

    async def _last_change(self, running: Running) -> int:
        """A bid that every view shows; its seq."""
        await running.venue.submit(CancelAll(account="alice"))
        await running.venue.submit(CancelAll(account="bob"))
        bid = PlaceOrder(
            account="alice",
            symbol=SYMBOL,
            side=Side.BUY,
            type=OrderType.LIMIT,
            lots=7,
            limit_ticks=MIDDLE_TICKS,
        )
        answer = await running.venue.submit(bid)
        assert not isinstance(answer, Refused), answer
        return answer.seq

    async def _all_read_up_to(self, seq: int, readers: list[asyncio.Task[None]]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while any(client.replica.seq < seq for client in self._clients):
                for reader in readers:
                    if reader.done():
                        reader.result()
                await asyncio.sleep(0.02)

    async def _compare(self) -> None:
        """What each client held, with the engine's books."""
        wanted = {
            view: {seq for client in self._clients if client.view == view for seq, _ in client.seen}
            for view in VIEWS
        }
        true: dict[tuple[tuple[int, int], int], bytes] = {}
        engine, trades = Exchange(), deque[tuple[int, PublicTrade]](maxlen=PUSHED_TRADES)
        async for commits in self._journal.read(0):
            for commit in commits:
                engine.apply(commit)
                trades.extendleft(_trades(commit))
                for view in VIEWS:
                    if commit.seq in wanted[view]:
                        true[view, commit.seq] = digest(_book(engine, view, trades))
        for number, client in enumerate(self._clients):
            self.report.acknowledged += len(client.seen)
            wrong = [seq for seq, held in client.seen if held != true[client.view, seq]]
            if wrong:
                self.report.failures.append(f"client {number} differs at {wrong[:10]}")
            if client.gaps:
                self.report.failures.append(f"client {number}: {client.gaps}")

    def _count(self, network: BadNetwork) -> None:
        self.report.outcomes.update(network.done)
        for name in ("resumed", "wholes", "changes", "merged"):
            self.told[name] = sum(getattr(client, name) for client in self._clients)


def _shrink_send_buffers(running: Running) -> None:
    """The kernel would take megabytes from the server before anything waits there."""
    listener = running.venue._listener
    assert listener is not None
    listener._listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    assert door.WRITE_BUFFER_BYTES <= 4096, "the campaign sets it, so that stalls are felt"


def _trades(commit: Commit) -> Iterator[tuple[int, PublicTrade]]:
    """With their ids."""
    for event in commit.events:
        if isinstance(event, Traded) and event.symbol == SYMBOL:
            created = commit.time_ns // NS_PER_MS
            yield event.trade_id, PublicTrade(event.lots, event.ticks, event.side, created)


def _book(
    engine: Exchange, view: tuple[int, int], trades: Sequence[tuple[int, PublicTrade]]
) -> Orderbook:
    """The engine's own book, grouped here once more."""
    halves = []
    for side in (Side.SELL, Side.BUY):
        precise, depth = view
        levels: dict[int, Level] = {}
        for level in engine.books[SYMBOL].half(side).levels():
            up = precise - 1 if side is Side.SELL else 0
            ticks = (level.ticks + up) // precise * precise
            there = levels.get(ticks, Level(ticks, 0, 0))
            levels[ticks] = Level(ticks, there.lots + level.lots, there.count + len(level.orders))
        halves.append(tuple(levels.values())[:depth])
    trade_id = trades[0][0] if trades else 0
    return Orderbook(halves[0], halves[1], tuple(trade for _, trade in trades), trade_id)
