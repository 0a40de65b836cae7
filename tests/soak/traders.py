"""Clients who trade, over REST and over the stream; whatever they leave open is canceled."""

import json
from random import Random
from typing import Any

import httpx

from tests.doors.raw import PING, PONG, TEXT, RawClient, frame, request, shake_hands
from tests.doors.stream_trader import signature
from tests.doors.trader import Credentials, Trader
from tests.soak.crowd import ACCOUNTS, SYMBOLS, Crowd, Life

NAMED = 0.2
"""Share of orders that have a client order id."""
FINE = ("OK", "UNKNOWN_ORDER", "WOULD_TAKE")
"""Codes of answers; whoever cancels may come too late."""
PAUSE_S = 0.2
IN_FLIGHT = 20
"""Orders that are sent together, while nobody else is there."""


def order(crowd: Crowd, random: Random) -> dict[str, Any]:
    """One that trades soon: prices wander little."""
    made: dict[str, Any] = {
        "symbol": random.choice(SYMBOLS),
        "side": random.choice(("BUY", "SELL")),
        "type": random.choice(("LIMIT", "LIMIT", "LIMIT", "IOC", "POST_ONLY")),
        "lots": random.randint(1, 9),
        "ticks": random.randint(990, 1010),
    }
    if random.random() < NAMED:
        crowd.named_orders += 1
        made["clientOrderId"] = f"soak-{crowd.named_orders}"
    crowd.counts["orders"] += 1
    return made


class RestTrader(Life):
    """One connection, some orders and cancels, questions about the past."""

    async def live(self) -> None:
        """See `Life`."""
        who = self.random.choice(ACCOUNTS)
        async with http(self.crowd) as client:
            trader = Trader(client, who)
            for _ in range(self.random.randint(5, 30)):
                if self.crowd.enough.is_set():
                    break
                await self._ask(trader, client)
                await self.crowd.pause(self.random.uniform(0.0, 2 * PAUSE_S))
            await trader.done("DELETE", "orders")

    async def _ask(self, trader: Trader, client: httpx.AsyncClient) -> None:
        chance = self.random.random()
        if chance < 0.7:
            answer = await trader.call("POST", "order", order(self.crowd, self.random))
        elif chance < 0.9:
            answer = await trader.call("GET", self.random.choice(("orders", "trades", "balances")))
        else:
            asked = self.random.choice(("klines", "depth", "trades", "ticker"))
            symbol = self.random.choice(SYMBOLS)
            path = f"/api/v1/public/{asked}?symbol={symbol}"
            answer = await client.get(path + ("&interval=60" if asked == "klines" else ""))
        if answer.json()["code"] not in FINE:
            self.crowd.blame(f"REST answered {answer.text}")


class StreamTrader(Life):
    """Logs in over the stream and sends many at once; often it is cut before it is answered."""

    async def live(self) -> None:
        """See `Life`."""
        who = self.random.choice(ACCOUNTS)
        async with await shake_hands(self.crowd.port, "/") as client:
            login = {**signature(who, "login"), "cancelOnDisconnect": True}
            await client.send(request("login", login, 0))
            await self._answered(client, 1)
            for _ in range(self.random.randint(1, 10)):
                if self.crowd.enough.is_set():
                    break
                count = self.random.randint(1, 4)
                orders = [order(self.crowd, self.random) for _ in range(count)]
                asked = [request("order", each, 1) for each in orders]
                asked.append(request("cancelAll", {}, 2))
                await client.send(b"".join(asked[: count + self.random.randint(0, 1)]))
                if self.random.random() < 0.1:
                    client._writer.transport.abort()
                    return
                await self._answered(client, count)
                await self.crowd.pause(self.random.uniform(0.0, 4 * PAUSE_S))

    async def _answered(self, client: RawClient, count: int) -> None:
        """Read until so many orders were answered."""
        while count:
            opcode, payload = await client.opcode_and_payload()
            if opcode == PING:
                await client.send(frame(PONG, payload))
                continue
            assert opcode == TEXT, payload
            told = json.loads(payload)
            if told["event"] == "ack":
                count -= told["id"] != 2
            elif told["message"]["code"] in FINE:
                count -= 1
            else:
                self.crowd.blame(f"a stream answered {json.dumps(told)}")
                count -= 1


def http(crowd: Crowd) -> httpx.AsyncClient:
    """A connection of its own, made without reading the system's certificates."""
    url = f"http://127.0.0.1:{crowd.port}"
    return httpx.AsyncClient(base_url=url, trust_env=False, verify=False)


async def fill(crowd: Crowd, random: Random, orders: int) -> None:
    """Place and cancel so many: what remembers a bounded number of things is full of them then."""
    for who in ACCOUNTS:
        await _fill(crowd, random, who, orders // len(ACCOUNTS))
    await cancel_everything(crowd)


async def _fill(crowd: Crowd, random: Random, who: Credentials, orders: int) -> None:
    async with await shake_hands(crowd.port, "/") as client:
        await client.send(request("login", signature(who, "login"), 0))
        await client.text()
        for _ in range(orders // IN_FLIGHT):
            asked = [request("order", order(crowd, random), 1) for _ in range(IN_FLIGHT)]
            await client.send(b"".join(asked))
            for _ in asked:
                await client.text()
        await client.send(request("cancelAll", {}, 1))
        await client.text()


async def cancel_everything(crowd: Crowd) -> None:
    """Nothing is open afterwards."""
    async with http(crowd) as client:
        for who in ACCOUNTS:
            await Trader(client, who).done("DELETE", "orders")
