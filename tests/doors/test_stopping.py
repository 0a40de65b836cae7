"""A planned stop is announced, and nobody is left behind (protocol §3, §10)."""

import asyncio
import json

import httpx
import pytest
import websockets

from jayx_stream.app.clock import system_clock
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.journal.memory import MemoryJournal
from tests.doors.raw import request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.stream_trader import HeldJournal, logged_in, order

ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT"}


async def started(config_limits: dict[str, int] | None = None) -> Running:
    made = EmbeddedVenue(configured(limits(**(config_limits or {}))), MemoryJournal(), system_clock)
    await made.recover()
    return Running(made, await made.start())


async def test_a_stop_is_announced_and_then_closes_with_1001() -> None:
    running = await started()
    async with running.connect() as one, running.connect("?envelope=none") as other:
        await running.venue.stop()
        for client in (one, other):
            assert json.loads(await client.recv()) == {
                "event": "notice",
                "message": {"code": "CLOSING", "seconds": 1},
            }
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001


async def test_while_a_venue_stops_it_is_not_ready() -> None:
    running = await started()
    async with running.http() as http:
        assert (await http.get("/ready")).json() == {"status": "ready"}
        running.venue.not_ready = "the venue is stopping"
        refused = await http.get("/ready")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json() == {
            "code": "UNAVAILABLE",
            "message": "the venue is stopping",
            "data": None,
        }
        assert (await http.get("/health")).status_code == 200
    await running.venue.stop()


async def test_after_a_stop_nobody_answers() -> None:
    running = await started()
    await running.venue.stop()
    async with running.http() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/health")


async def test_clients_that_leave_during_the_stop_do_not_hold_it_up() -> None:
    running = await started()
    clients = [await running.raw() for _ in range(30)]
    stopping = asyncio.create_task(running.venue.stop())
    for client in reversed(clients):
        await client.json()
        await client.close()
    async with asyncio.timeout(10):
        await stopping


async def test_an_order_on_its_way_is_answered_before_the_goodbye() -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as running, logged_in(running) as stream:
        journal.hold()
        asked = await stream.send("order", order())
        await journal.appending.wait()
        stopping = asyncio.create_task(running.venue.stop())
        assert (await stream.client.json())["event"] == "notice"
        journal.released.set()
        assert (await stream.answer(asked))["event"] == "ack"
        assert await stream.client.closed_with() == 1001
        await stopping


async def test_a_client_that_does_not_read_does_not_hold_a_stop_up_for_ever() -> None:
    running = await started({"drain_s": 1})
    async with await running.raw(receive_buffer=4096) as client:
        await client.send(request("orderbook", ORDERBOOK))
        async with asyncio.timeout(20):
            await running.venue.stop()
        assert not running.connections
