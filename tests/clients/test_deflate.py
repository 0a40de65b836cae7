"""Clients as they are read what is compressed once for all of them, and have their own requests read
(protocol §2).
"""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from jayx_stream.client.book import BookReplica
from tests.clients.javascript import LINE_BYTES_MAX, installed, javascript_client
from tests.doors.deflating import AGREED, BOOK, furnish
from tests.doors.raw import DEADLINE_S
from tests.doors.running import Running, configured, venue
from tests.doors.test_slow_readers import place

PLACES = 20
SUBSCRIBE = json.dumps({"event": "orderbook", "message": BOOK})


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue(configured(deflate=True)) as served:
        await furnish(served)
        yield served


@contextlib.asynccontextmanager
async def node_client(running: Running, *texts: str) -> AsyncIterator[asyncio.StreamReader]:
    """Node's `ws`, which sends these texts; gives its output."""
    script = Path(__file__).parent / "websocket.mjs"
    process = await asyncio.create_subprocess_exec(
        "node",
        str(script),
        str(installed()),
        f"ws://127.0.0.1:{running.port}/",
        *texts,
        stdout=subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line(output: asyncio.StreamReader) -> str:
    async with asyncio.timeout(DEADLINE_S):
        return (await output.readline()).decode().removesuffix("\n")


def bids(running: Running) -> list[int]:
    """Prices of all bids."""
    book = running.venue.projections.orderbook("BTCUSDT", 1, 1000, 0)
    return [level.ticks for level in book.bids]


def bids_told(push: Any) -> list[int]:
    return [level["ticks"] for level in push["message"]["orderBook"]["bids"]]


async def test_nodes_client_reads_a_compressed_book(running: Running) -> None:
    async with node_client(running, SUBSCRIBE) as output:
        assert await line(output) == "permessage-deflate"
        assert bids_told(json.loads(await line(output))) == bids(running)
        for ticks in range(1100, 1100 + PLACES):
            await place(running, ticks)
            assert bids_told(json.loads(await line(output))) == bids(running)


async def test_the_python_client_reads_a_compressed_book(running: Running) -> None:
    async with running.connect() as client:
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Extensions"] == AGREED
        await client.send(SUBSCRIBE)
        assert bids_told(json.loads(await client.recv())) == bids(running)
        for ticks in range(1100, 1100 + PLACES):
            await place(running, ticks)
            assert bids_told(json.loads(await client.recv())) == bids(running)


async def test_a_replica_follows_compressed_changes(running: Running) -> None:
    replica = BookReplica()
    message = {**BOOK, "mode": "delta"}
    async with running.connect() as client:
        await client.send(json.dumps({"event": "orderbook", "message": message}))
        for ticks in range(1100, 1100 + PLACES):
            assert replica.apply_text(await client.recv())
            await place(running, ticks)
        assert replica.apply_text(await client.recv())
    assert replica.view is not None
    assert [level.ticks for level in replica.view.bids] == bids(running)


async def test_a_client_with_a_small_window_reads_a_compressed_book(running: Running) -> None:
    address = f"ws://127.0.0.1:{running.port}/"
    small = ClientPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=9)
    async with websockets.connect(address, proxy=None, extensions=[small]) as client:
        assert client.response is not None
        agreed = client.response.headers["Sec-WebSocket-Extensions"]
        assert "server_max_window_bits=12" in agreed
        await client.send(json.dumps({"event": "orderbook", "message": {**BOOK, "depth": 1000}}))
        await client.recv()
        for ticks in range(1100, 1100 + 10 * PLACES):
            await place(running, ticks)
            push = await client.recv()
        assert len(push) > 5000
        assert bids_told(json.loads(push)) == bids(running)


async def test_aiohttps_client_reads_a_compressed_book(running: Running) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{running.origin}/", compress=15) as client:
            assert client.compress == 15
            await client.send_str(SUBSCRIBE)
            assert bids_told(await client.receive_json()) == bids(running)
            for ticks in range(1100, 1100 + PLACES):
                await place(running, ticks)
                assert bids_told(await client.receive_json()) == bids(running)


@pytest.mark.parametrize(
    "options", [{}, {"transports": ["websocket"], "perMessageDeflate": {"threshold": 0}}]
)
async def test_the_socketio_client_reads_a_compressed_book(
    running: Running, options: dict[str, Any]
) -> None:
    async with javascript_client(running.origin, **options) as client:
        await client.expect("connect", "upgrade")
        if not options:
            await client.expect("connect", "upgrade")
        await client.emit("orderbook", BOOK)
        assert (await client.expect("event"))["event"] == "orderbook"
        [connection] = running.connections
        assert connection.takes_deflated
        for ticks in range(1100, 1100 + PLACES):
            await place(running, ticks)
            payload, _ = (await client.expect("event"))["args"]
            assert bids_told({"message": payload}) == bids(running)


async def test_a_client_that_offers_nothing_reads_plain_frames(running: Running) -> None:
    address = f"ws://127.0.0.1:{running.port}/"
    async with websockets.connect(address, proxy=None, compression=None) as client:
        await client.send(SUBSCRIBE)
        assert bids_told(json.loads(await client.recv())) == bids(running)
