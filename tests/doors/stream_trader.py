"""Trading over a stream connection (protocol §9)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from typing import Any

from jayx_stream.doors.websocket import WebSocketConnection
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.commands import RevokeKey
from jayx_stream.model.events import AnyEvent, Commit
from jayx_stream.model.reasons import Refused
from tests.doors.raw import RawClient, request
from tests.doors.running import Running
from tests.doors.trader import ALICE, Credentials, now_ms, sign


class HeldJournal(MemoryJournal):
    """Appends wait while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()
        self.released.set()
        self.appending = asyncio.Event()

    async def append(self, commits: Sequence[Commit]) -> None:
        """See `Journal`."""
        self.appending.set()
        await self.released.wait()
        await super().append(commits)

    def hold(self) -> None:
        """From the next append on."""
        self.appending.clear()
        self.released.clear()


def login(who: Credentials = ALICE, **more: Any) -> dict[str, Any]:
    """The message of a login."""
    return {**signature(who, "login"), **more}


def signature(who: Credentials, event: str, timestamp: int | None = None) -> dict[str, Any]:
    """What signs the message of an event."""
    stamp = now_ms() if timestamp is None else timestamp
    signed = sign(who, f"{stamp}GET/stream/{event}".encode())
    return {"apiKey": who.key, "timestamp": stamp, "sign": signed}


def order(lots: int = 5, ticks: int = 1000, **more: Any) -> dict[str, Any]:
    """A bid that rests."""
    return {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": lots, "ticks": ticks, **more
    }  # fmt: skip


class StreamTrader:
    """One connection; answers are found by their ids."""

    def __init__(self, client: RawClient) -> None:
        self.client = client
        self._last_id = 0

    async def send(self, event: str, message: object) -> int:
        """Send a request, and give its id."""
        self._last_id += 1
        await self.client.send(request(event, message, self._last_id))
        return self._last_id

    async def answer(self, request_id: int) -> dict[str, Any]:
        """The answer to a request; what comes before it is passed over."""
        while True:
            told: dict[str, Any] = await self.client.json()
            if told.get("id") == request_id:
                return told

    async def ask(self, event: str, message: object) -> dict[str, Any]:
        """The answer to one request."""
        return await self.answer(await self.send(event, message))

    async def done(self, event: str, message: object) -> tuple[Any, int]:
        """Data and seq of a request that is done."""
        told = await self.ask(event, message)
        assert told["event"] == "ack", told
        assert list(told["message"]) == ["code", "data", "seq"]
        assert told["message"]["code"] == "OK"
        return told["message"]["data"], told["message"]["seq"]

    async def refusal(self, event: str, message: object) -> tuple[str, str]:
        """Code and reason of a request that is refused."""
        told = await self.ask(event, message)
        assert told["event"] == "error", told
        return told["message"]["code"], told["message"]["reason"]


@contextlib.asynccontextmanager
async def logged_in(
    running: Running, who: Credentials = ALICE, query: str = "", **more: Any
) -> AsyncIterator[StreamTrader]:
    """A connection on which someone has logged in."""
    async with await running.raw(query) as client:
        trader = StreamTrader(client)
        await trader.done("login", login(who, **more))
        yield trader


@contextlib.asynccontextmanager
async def watching(running: Running, who: Credentials = ALICE) -> AsyncIterator[RawClient]:
    """Someone who sees all orders of an account, and has seen those that are open."""
    async with await running.raw() as client:
        await client.send(request("openorders", {"apiKey": who.key, "category": "spot"}))
        await client.json()
        yield client


async def ends_of(watcher: RawClient, count: int) -> list[int]:
    """Ids of the next orders that are canceled."""
    canceled: list[int] = []
    while len(canceled) < count:
        push = json.loads(await watcher.text())
        canceled += [each["id"] for each in push["message"]["cancel"]]
    return canceled


async def events_of(journal: MemoryJournal) -> list[AnyEvent]:
    """All that is journaled."""
    return [event async for batch in journal.read(0) for commit in batch for event in commit.events]


def key_id(who: Credentials) -> str:
    """What names a key where people can see it."""
    return sha256(who.key.encode()).hexdigest()[:12]


async def revoke(running: Running, who: Credentials) -> None:
    """As an operator does it."""
    answer = await running.venue.submit(RevokeKey(key_id=key_id(who)))
    assert not isinstance(answer, Refused), answer


def connection_of(running: Running, who: Credentials) -> WebSocketConnection:
    """The server's side of the one connection that a key let in."""
    [found] = [each for each in running.connections if each.was_let_in_by(key_id(who))]
    return found
