"""The real Socket.IO clients: what they are told is what the raw door tells (protocol §8)."""

import asyncio
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]

from tests.clients.javascript import JavaScriptClient, javascript_client
from tests.doors.raw import DEADLINE_S, RawClient, request
from tests.doors.running import Running, venue
from tests.doors.stream_trader import login, order, revoke
from tests.doors.trader import ALICE, BOB

TRANSPORTS = {
    "default transports": {},
    "websocket only": {"transports": ["websocket"]},
    "polling only": {"transports": ["polling"]},
}
DOCUMENTED: dict[str, dict[str, str]] = {
    "kline": {"category": "spot", "symbol": "BTCUSDT", "interval": "60"},
    "orderbook": {"category": "spot", "symbol": "BTCUSDT", "precise": "1"},
    "positions": {"apiKey": ALICE.key, "category": "spot"},
    "openorders": {"apiKey": ALICE.key, "category": "spot", "symbol": "BTCUSDT"},
}
"""The messages of the user's document."""

Told = dict[tuple[str, int], Any]
"""Payloads by stream and seq."""

transports = pytest.mark.parametrize("options", TRANSPORTS.values(), ids=TRANSPORTS)


async def raw_reader(running: Running) -> RawClient:
    """A reader of the four streams at the raw door, who has their present state."""
    client = await running.raw()
    for event, message in DOCUMENTED.items():
        await client.send(request(event, message))
        await client.json()
    return client


async def raw_told(client: RawClient, streams: int, seq: int) -> Told:
    """What the raw door tells, until so many streams have reached `seq`."""
    told: Told = {}
    while sum(each == seq for _, each in told) < streams:
        push = await client.json()
        told[push["stream"], push["seq"]] = push["message"]
    return told


async def socket_told(client: JavaScriptClient, streams: int, seq: int) -> Told:
    """The same of a Socket.IO client."""
    told: Told = {}
    while sum(each == seq for _, each in told) < streams:
        payload, rest = (await client.expect("event"))["args"]
        told[rest["stream"], rest["seq"]] = payload
    return told


async def trade(running: Running) -> int:
    """Alice's bid, and bob who takes half of it; gives the trade's seq."""
    async with running.traders() as (alice, bob):
        await alice.place("BUY", 2_000_000, 6684363)
        _, seq = await bob.place("SELL", 1_000_000, 6684363)
        return seq


@transports
async def test_the_javascript_client_is_told_what_the_raw_door_tells(
    options: dict[str, Any],
) -> None:
    async with venue() as running, javascript_client(running.origin, **options) as client:
        await client.expect("connect")
        for event, message in DOCUMENTED.items():
            await client.emit(event, message)
            happened = await client.expect("event")
            assert happened["event"] == event
            assert list(happened["args"][1]) == ["stream", "seq", "ts"] or event == "orderbook"
        raw = await raw_reader(running)
        seq = await trade(running)
        assert await socket_told(client, 4, seq) == await raw_told(raw, 4, seq)
        await raw.close()


async def test_the_javascript_client_upgrades_by_default() -> None:
    async with venue() as running, javascript_client(running.origin) as client:
        assert (await client.expect("connect", "upgrade")) in (
            {"connect": "polling"},
            {"upgrade": "websocket"},
        )
        await client.expect("connect", "upgrade")
        await client.emit("ping", {}, ack=True)
        await client.expect("ack")
        [connection] = running.connections
        assert connection.address == "127.0.0.1"
        assert len(running.venue._door.connections) == 1


@transports
async def test_a_callback_of_the_javascript_client_is_called(options: dict[str, Any]) -> None:
    async with venue() as running, javascript_client(running.origin, **options) as client:
        await client.expect("connect")
        await client.emit("kline", DOCUMENTED["kline"], ack=True)
        assert (await client.expect("ack"))["args"] == [
            {"stream": "kline:spot:BTCUSDT:60", "epoch": running.venue.epoch}
        ]
        await client.emit("kline", {**DOCUMENTED["kline"], "symbol": "DOGE"}, ack=True)
        reason = "no instrument DOGE in category spot"
        error = {"code": "UNKNOWN_SYMBOL", "reason": reason}
        acked = await client.expect("ack")
        assert acked["args"] == [{"error": error}]
        told = await client.expect("event")
        assert told["event"] == "error"
        assert told["args"][0]["reason"] == reason


@transports
async def test_the_javascript_client_trades(options: dict[str, Any]) -> None:
    async with (
        venue() as running,
        running.traders() as (alice, _),
        javascript_client(running.origin, **options) as client,
    ):

        async def ask(event: str, message: object) -> Any:
            await client.emit(event, message, ack=True)
            [told] = (await client.expect("ack"))["args"]
            return told

        await client.expect("connect")
        assert (await ask("order", order()))["error"]["code"] == "UNAUTHORIZED"
        assert (await ask("login", login(cancelOnDisconnect=True)))["code"] == "OK"
        placed = await ask("order", order(5))
        assert list(placed) == ["code", "data", "seq"]
        assert placed["data"] == (await alice.done("GET", f"order?id={placed['data']['id']}"))[0]
        smaller = await ask("amend", {"id": placed["data"]["id"], "lots": 2})
        assert smaller["data"]["resd"] == 2
        assert (await ask("cancel", {"id": placed["data"]["id"]}))["data"]["state"] == "CANCELED"
        await ask("order", order(5))
        assert len((await ask("cancelAll", {}))["data"]) == 1
        await ask("order", order(5))
        await client.disconnect()
        async with asyncio.timeout(DEADLINE_S):
            while (await alice.done("GET", "openorders"))[0]:
                pass


@transports
async def test_the_javascript_client_is_cut_when_its_key_is_revoked(
    options: dict[str, Any],
) -> None:
    async with venue() as running, javascript_client(running.origin, **options) as client:
        await client.expect("connect")
        await client.emit("positions", DOCUMENTED["positions"])
        await client.expect("event")
        await revoke(running, ALICE)
        assert "transport" in (await client.expect("disconnect"))["disconnect"]


@transports
async def test_the_javascript_client_leaves(options: dict[str, Any]) -> None:
    async with venue() as running, javascript_client(running.origin, **options) as client:
        await client.expect("connect")
        await client.emit("positions", DOCUMENTED["positions"])
        await client.expect("event")
        await client.disconnect()
        assert await client.expect("disconnect") == {"disconnect": "io client disconnect"}
        async with running.http() as http, asyncio.timeout(DEADLINE_S):
            while running.venue._door.connections:
                await http.get("/health")


@transports
async def test_the_javascript_client_is_told_of_a_stop(options: dict[str, Any]) -> None:
    async with venue() as running, javascript_client(running.origin, **options) as client:
        await client.expect("connect")
        await client.emit("ping", {}, ack=True)
        await client.expect("ack")
        await running.venue.stop()
        while (happened := await client.happened()).get("event") != "notice":
            pass
        assert happened["args"] == [{"code": "CLOSING", "seconds": 1}]
        assert "transport" in (await client.expect("disconnect"))["disconnect"]


@transports
async def test_the_python_client_is_told_what_the_raw_door_tells(options: dict[str, Any]) -> None:
    async with venue() as running:
        raw = await raw_reader(running)
        told: Told = {}
        client = socketio.AsyncClient(reconnection=False)

        def take(payload: Any, rest: dict[str, Any]) -> None:
            told[rest["stream"], rest["seq"]] = payload

        for event in DOCUMENTED:
            client.on(event, take)
        await client.connect(running.origin, **options)
        for event, message in DOCUMENTED.items():
            acked = await client.call(event, message)
            assert acked["stream"].startswith(event)
        seq = await trade(running)
        expected = await raw_told(raw, 4, seq)
        while sum(each == seq for _, each in told) < 4:
            await client.call("ping", {})
        assert {key: told[key] for key in expected} == expected
        refused = await client.call("positions", {"apiKey": BOB.key, "category": "futures"})
        assert refused["error"]["code"] == "UNKNOWN_CATEGORY"
        await client.disconnect()
        await raw.close()
