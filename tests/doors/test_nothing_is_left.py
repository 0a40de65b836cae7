"""A connection that has ended is freed there and then: the collector of rings, which looks through what has
lived for a while once in millions of objects, finds nothing of it.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.doors.engineio import connect_polling, connect_websocket, open_polling, upgrade
from tests.doors.raw import CLOSE, connect, frame, head, request, text
from tests.doors.running import Running, venue
from tests.doors.trader import ALICE, now_ms, sign, signed

ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT", "mode": "delta"}
POSITIONS = {"category": "spot", "apiKey": ALICE.key}
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 10}
OURS = ("jayx_stream.", "uvicorn.", "httptools.", "starlette.")

Life = Callable[[Running], Awaitable[None]]


async def says_goodbye(running: Running) -> None:
    async with await running.raw() as client:
        for event, message in (("orderbook", ORDERBOOK), ("positions", POSITIONS)):
            await client.send(request(event, message, 1))
            await client.json()
            await client.json()
        await client.send(frame(CLOSE, b"\x03\xe8"))
        assert await client.closed_with() == 1000


async def is_cut(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(request("orderbook", ORDERBOOK))
        await client.json()
        client._writer.transport.abort()


async def breaks_the_rules(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(3))
        assert await client.closed_with() == 1002


async def trades(running: Running) -> None:
    async with await running.raw() as client:
        timestamp = str(now_ms())
        sign_ = sign(ALICE, f"{timestamp}GET/stream/login".encode())
        login = {"apiKey": ALICE.key, "timestamp": timestamp, "sign": sign_}
        await client.send(request("login", {**login, "cancelOnDisconnect": True}, 1))
        await client.send(request("order", ORDER, 2) + request("order", {**ORDER, "lots": "x"}, 3))
        for _ in range(3):
            await client.json()


async def asks_over_http(running: Running) -> None:
    async with await connect(running.port) as client:
        target = "/api/v1/trader/openorders"
        for path in ("/health", "/api/v1/public/depth?symbol=BTCUSDT", "/nowhere", target):
            headers = {"Host": "x", **signed(ALICE, "GET", target)}
            await client.send(head(path, headers))
            await client.http_answer()


async def trades_over_rest(running: Running) -> None:
    async with running.traders() as (alice, bob):
        await bob.place("SELL", 1, 10)
        await alice.place("BUY", 1, 10)
        await alice.call("DELETE", "order?id=0")


async def is_refused_an_upgrade(running: Running) -> None:
    async with await connect(running.port) as client:
        upgrading = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade"}
        await client.send(head("/", upgrading))
        assert b" 4" in await client.http_answer()


async def speaks_socketio(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send('42["orderbook",{"category":"spot","symbol":"BTCUSDT"}]')
    await client.event()
    await client.close()


async def polls(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        await poller.send('42["orderbook",{"category":"spot","symbol":"BTCUSDT"}]')
        await poller.event()
        await poller.close()


async def polls_and_is_upgraded(running: Running) -> None:
    async with running.http() as http:
        poller = await open_polling(http)
        client = await upgrade(poller, running.port)
        await client.send("40")
        await client.packet()
        await client.close()


async def is_no_websocket(running: Running) -> None:
    async with await connect(running.port) as client:
        await client.send(text("not even HTTP") + b"\r\n\r\n")
        await client.ended()


@pytest.fixture
def uncollected() -> Iterator[Callable[[], set[str]]]:
    """With the collector off: tells the kinds of all objects of ours that only it would free."""

    def found() -> set[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds = {f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage}
        return {kind for kind in kinds if kind.startswith(OURS)}

    gc.disable()
    try:
        yield found
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def everyone_has_left(running: Running) -> None:
    async with asyncio.timeout(10):
        while running.seats or running.venue.hub.all_streams():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "life",
    [
        says_goodbye,
        is_cut,
        breaks_the_rules,
        trades,
        asks_over_http,
        trades_over_rest,
        is_refused_an_upgrade,
        speaks_socketio,
        polls,
        polls_and_is_upgraded,
        is_no_websocket,
    ],
)
async def test_nothing_of_a_client_waits_for_the_collector(
    life: Life, uncollected: Callable[[], set[str]]
) -> None:
    async with venue() as running:
        await life(running)
        await everyone_has_left(running)
        gc.collect()
        await life(running)
        await everyone_has_left(running)
        assert uncollected() == set()
