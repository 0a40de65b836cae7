"""A hundred accounts, whose every amount says whose it is, trade with each other; readers come, subscribe
with the keys of some, and go; keys are made and revoked meanwhile. Every byte that any of them receives is
scanned for amounts of accounts that he had no key of.
"""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import httpx

from tests.doors import command
from tests.doors.raw import CLOSE, request, shake_hands
from tests.doors.trader import Credentials, now_ms, sign
from tests.torture import Report

ACCOUNTS = 100
READERS = 30
TRADERS = 10
IN_FLIGHT = 32
"""Orders of one trader."""
TAG_UNITS = 700_000
"""Each account holds so much of an asset that nobody trades, and its own number more."""
REVOKED_WITHIN_S = 1.0
DEADLINE_S = 20.0

LEFT, ASKED_FOR = 1, 1000
"""Ids of requests; that of a subscription is so much more than the account's number."""

PUSHES = re.compile(rb'"event":"(?:positions|openorders)"|"stream":"(?:positions|openorders)')
MARKS = re.compile(
    rb'@acct(?P<name>\d\d)\b|"quantity":"0\.(?P<lots>\d+)"|'
    rb'"asset":"TAG","balance":"7000(?P<tag>\d\d)"'
)
"""All that tells of an account: its name in a stream's, an order's size, its own balance."""


def owners(payload: bytes) -> set[int]:
    """Whose amounts stand in a text."""
    found: set[int] = set()
    for mark in MARKS.finditer(payload):
        lots = mark["lots"]
        if lots is not None:
            found.add(int(lots.ljust(6, b"0")) % ACCOUNTS)
        else:
            found.add(int(mark["name"] or mark["tag"]))
    return found


def config(admin_port: int) -> str:
    """The venue's, with all accounts, and no limit on how much a client may ask."""
    accounts = "".join(
        f"""
[[accounts]]
name = "acct{number:02}"
deposits = {{ BTC = "1000", USDT = "100000000", TAG = "{TAG_UNITS + number}" }}

[[accounts.keys]]
api_key = "{_key(number).key}"
secret = "{_key(number).secret}"
permissions = ["read", "trade"]
"""
        for number in range(ACCOUNTS)
    )
    return f"""
[limits]
orders_per_s = 0
requests_per_s = 0
connections_per_address = 0
failed_keys_per_min = 0
http_requests_per_s = 0

[admin]
port = {admin_port}

[[instruments]]
symbol = "BTCUSDT"
base = "BTC"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"
maker_fee = "0.001"
taker_fee = "0.001"

[[instruments]]
symbol = "TAGUSDT"
base = "TAG"
quote = "USDT"
tick_size = "0.01"
lot_size = "1"
{accounts}"""


def _key(number: int) -> Credentials:
    return Credentials(f"key-of-account-{number:02}", f"secret-{number}")


@dataclass
class Granted:
    """A key that the operator gave out for reading."""

    account: int
    api_key: str
    key_id: str


@dataclass
class Findings:
    """What was seen, over all connections."""

    events: int = 0
    """Private pushes."""
    enough: bool = False
    """Everyone comes to an end."""
    bytes: int = 0
    leaks: list[str] = field(default_factory=list)
    revoked_s: list[float] = field(default_factory=list)
    """From a revocation's answer to the close."""
    counts: Counter[str] = field(default_factory=Counter)


class Reader:
    """One connection after another, each with some accounts' keys."""

    def __init__(self, port: int, findings: Findings, random: Random) -> None:
        self._port = port
        self._findings = findings
        self._random = random
        self._allowed: set[int] = set()
        """Accounts of streams that were acknowledged, until they are left."""
        self._streams: dict[str, int] = {}
        self._leaving: dict[str, int] = {}
        self.keys: set[str] = set()
        """Ids of given-out keys that this connection is let in by."""
        self.closed_with: asyncio.Future[tuple[int, float]] | None = None

    async def live(self, given: list[Granted], seconds: float) -> None:
        """One connection: subscribe, leave and subscribe again, and be cut off."""
        self._allowed, self.keys = set(), set()
        self._streams, self._leaving = {}, {}
        async with await shake_hands(self._port, "/") as client:
            closed = asyncio.get_running_loop().create_future()
            self.closed_with = closed
            frames = asyncio.create_task(self._scan(client._reader))
            try:
                end_s = perf_counter() + seconds
                while perf_counter() < end_s and not (frames.done() or self._findings.enough):
                    await client.send(self._ask(given))
                    await asyncio.sleep(self._random.uniform(0.01, 0.2))
            finally:
                frames.cancel()
                with contextlib.suppress(
                    asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError
                ):
                    await frames
                self._findings.counts["connections"] += 1

    def _ask(self, given: list[Granted]) -> bytes:
        """A subscription more, or one less, or to something that is open to all."""
        chance = self._random.random()
        if chance < 0.2 and self._streams:
            stream = self._random.choice(list(self._streams))
            self._leaving[stream] = self._streams.pop(stream)
            return request("unsubscribe", {"stream": stream}, LEFT)
        if chance < 0.3:
            message = {"category": "spot", "symbol": "BTCUSDT", "precise": "1"}
            return request("orderbook", message)
        if given and chance < 0.6:
            key = self._random.choice(given)
            number, api_key = key.account, key.api_key
            self.keys.add(key.key_id)
        else:
            number = self._random.randrange(ACCOUNTS)
            api_key = _key(number).key
        event = self._random.choice(("positions", "openorders"))
        return request(event, {"category": "spot", "apiKey": api_key}, ASKED_FOR + number)

    async def _scan(self, reader: asyncio.StreamReader) -> None:
        """Every byte, to the end."""
        waiting = b""
        while data := await reader.read(262_144):
            self._findings.bytes += len(data)
            waiting += data
            at = 0
            while (end := _frame_end(waiting, at)) is not None:
                self._look(waiting[at], waiting[at:end])
                at = end
            waiting = waiting[at:]

    def _look(self, head: int, whole: bytes) -> None:
        if head & 15 == CLOSE:
            assert self.closed_with is not None
            code = int.from_bytes(whole[2:4], "big")
            if not self.closed_with.done():
                self.closed_with.set_result((code, perf_counter()))
            return
        if b'"event":"ack"' in whole:
            self._note(json.loads(whole[whole.index(b"{") :]))
            return
        foreign = owners(whole) - self._allowed
        if foreign:
            self._findings.leaks.append(f"{sorted(foreign)} to {sorted(self._allowed)}: {whole!r}")
        if PUSHES.search(whole):
            self._findings.events += 1

    def _note(self, ack: dict[str, Any]) -> None:
        """Which streams there are now: what comes before one's ack, or after it is left, is a leak."""
        stream = ack["message"]["stream"]
        if ack["id"] == LEFT:
            del self._leaving[stream]
        else:
            self._streams[stream] = ack["id"] - ASKED_FOR
            if not stream.endswith(f"@acct{self._streams[stream]:02}"):
                self._findings.leaks.append(f"{stream} by a key of {self._streams[stream]}")
        self._allowed = {*self._streams.values(), *self._leaving.values()}


def _frame_end(data: bytes, at: int) -> int | None:
    """Where the frame that begins there ends; None if that has not come yet."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1], at + 2
    if size == 126:
        begin += 2
        size = int.from_bytes(data[at + 2 : begin], "big")
    elif size == 127:
        begin += 8
        size = int.from_bytes(data[at + 2 : begin], "big")
    end = begin + size
    return end if len(data) >= end else None


class Campaign:
    """One venue, and everyone on it, until so many private events were seen."""

    def __init__(self, folder: Path, seed: int, events: int) -> None:
        self._folder = folder
        self._random = Random(seed)
        self._events = events
        self._given: list[Granted] = []
        self.findings = Findings()
        self.report = Report("leaks between accounts")

    async def run(self) -> None:
        """Trade, read, give out keys and revoke them; then count."""
        began_s = perf_counter()
        admin_port = command.free_port()
        async with command.served(self._folder, config(admin_port)) as served:
            self._port = served.port
            async with self._operator(admin_port) as operator:
                self._readers = [self._reader() for _ in range(READERS)]
                tasks = [asyncio.create_task(self._trade(number)) for number in range(TRADERS)]
                tasks += [asyncio.create_task(self._read(each)) for each in self._readers]
                tasks.append(asyncio.create_task(self._change_keys(operator)))
                try:
                    while self.findings.events < self._events:
                        done, _ = await asyncio.wait(tasks, timeout=0.1)
                        for task in done:
                            task.result()
                finally:
                    self.findings.enough = True
                    async with asyncio.timeout(DEADLINE_S):
                        await asyncio.gather(*tasks)
        self._count(perf_counter() - began_s)

    def _count(self, seconds: float) -> None:
        findings = self.findings
        self.report.seconds = seconds
        self.report.acknowledged = findings.events
        self.report.outcomes = findings.counts
        self.report.failures = findings.leaks + [
            f"a revoked key's connection ended after {late_s:.2f} s"
            for late_s in findings.revoked_s
            if late_s > REVOKED_WITHIN_S
        ]
        slowest_ms = max(findings.revoked_s, default=0.0) * 1000
        print(
            f"{findings.events:,} private events, {findings.bytes:,} bytes scanned, "
            f"{len(findings.leaks)} leaks; {len(findings.revoked_s)} connections of revoked keys "
            f"ended, the slowest after {slowest_ms:.0f} ms"
        )

    def _reader(self) -> Reader:
        return Reader(self._port, self.findings, Random(self._random.random()))

    async def _read(self, reader: Reader) -> None:
        while not self.findings.enough:
            await reader.live(self._given, self._random.uniform(0.2, 3.0))

    async def _trade(self, number: int) -> None:
        """Orders of one account after the other, over the stream, each of a size that is its own."""
        random = Random(self._random.random())
        while not self.findings.enough:
            account = random.randrange(number, ACCOUNTS, TRADERS)
            async with await shake_hands(self._port, "/") as client:
                await client.send(_login(_key(account)))
                assert (await client.json())["event"] == "ack"
                for _ in range(random.randint(5, 20)):
                    await client.send(b"".join(_order(random, account) for _ in range(IN_FLIGHT)))
                    answered = 0
                    while answered < IN_FLIGHT:
                        answered += (await client.json()).get("id") is not None
                await client.send(request("cancelAll", {}, 1))
                assert (await client.json())["event"] == "ack"
                self.findings.counts["logins"] += 1

    async def _change_keys(self, operator: httpx.AsyncClient) -> None:
        """Give a key out, and revoke one that is out."""
        while not self.findings.enough:
            number = self._random.randrange(ACCOUNTS)
            terms = {"account": f"acct{number:02}", "permissions": ["read"]}
            answer = await operator.post("/operator/keys", json=terms)
            assert answer.status_code == 200, answer.text
            data = answer.json()["data"]
            self._given.append(Granted(number, data["api_key"], data["key_id"]))
            self.findings.counts["keys made"] += 1
            await asyncio.sleep(self._random.uniform(0.05, 0.3))
            if len(self._given) > 5:
                await self._revoke(operator, self._given.pop(0).key_id)

    async def _revoke(self, operator: httpx.AsyncClient, key_id: str) -> None:
        """Whoever was let in by the key is closed, in time."""
        waiting = [
            reader.closed_with
            for reader in self._readers
            if key_id in reader.keys and reader.closed_with is not None
        ]
        answer = await operator.delete(f"/operator/keys/{key_id}")
        assert answer.status_code == 200, answer.text
        began_s = perf_counter()
        self.findings.counts["keys revoked"] += 1
        for closed in waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REVOKED_WITHIN_S):
                    code, at_s = await asyncio.shield(closed)
                    if code == 4001:
                        self.findings.revoked_s.append(max(0.0, at_s - began_s))

    @contextlib.asynccontextmanager
    async def _operator(self, port: int) -> AsyncIterator[httpx.AsyncClient]:
        token = (self._folder / "data" / "operator.token").read_text().strip()
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=DEADLINE_S,
        ) as client:
            yield client


def _login(who: Credentials) -> bytes:
    timestamp = str(now_ms())
    signed = sign(who, f"{timestamp}GET/stream/login".encode())
    return request("login", {"apiKey": who.key, "timestamp": timestamp, "sign": signed}, 1)


def _order(random: Random, account: int) -> bytes:
    """Its lots say whose it is."""
    message = {
        "symbol": "BTCUSDT",
        "side": random.choice(("BUY", "SELL")),
        "type": random.choice(("LIMIT", "LIMIT", "IOC")),
        "lots": ACCOUNTS * random.randint(1, 99) + account,
        "ticks": random.randint(1000, 1004),
    }
    return request("order", message, random.randrange(10**6))
