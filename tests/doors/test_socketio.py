"""The Socket.IO door: subscriptions, answers, and what is not taken (protocol §8, §10)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import websockets

from tests.doors.engineio import (
    WebSocketClient,
    connect_polling,
    connect_websocket,
    open_polling,
    open_websocket,
    websocket,
)
from tests.doors.raw import UPGRADE, connect, head, http_head
from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import ALICE

KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
STREAM = "kline:spot:BTCUSDT:60"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue() as served:
        yield served


def event(name: str, *arguments: object, id: int | str = "") -> str:
    """An event's packet."""
    return f"42{id}{json.dumps([name, *arguments])}"


# What is told.


async def test_an_emit_subscribes_and_the_payload_is_the_first_argument(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(event("kline", KLINE))
    [name, payload, rest] = await client.event()
    assert name == "kline"
    assert payload == {"add": None, "modify": None}
    assert list(rest) == ["stream", "seq", "ts"]
    assert rest["stream"] == STREAM
    await client.close()


async def test_a_callback_is_called_before_the_first_push(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(event("kline", KLINE, id=7))
    ack = {"stream": STREAM, "epoch": running.venue.epoch}
    assert json.loads((await client.packet()).removeprefix("437")) == [ack]
    assert (await client.event())[0] == "kline"
    await client.close()


async def test_an_error_is_for_the_callback_and_an_event(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(event("klin", KLINE, id=0))
    [acked] = json.loads((await client.packet()).removeprefix("430"))
    assert acked["error"]["code"] == "UNKNOWN_EVENT"
    [name, message] = await client.event()
    assert name == "error"
    assert message["code"] == "UNKNOWN_EVENT"
    assert message["request"] == {"event": "klin", "message": KLINE, "id": 0}
    await client.close()


async def test_the_control_events_work_alike(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(event("positions", {"apiKey": ALICE.key, "category": "spot"}))
    assert (await client.event())[0] == "positions"
    await client.send(event("subscriptions", {}, id=1))
    assert await client.packet() == '431[{"streams":["positions:spot@alice"]}]'
    await client.send(event("unsubscribe", {"stream": "positions:spot@alice"}, id=2))
    assert await client.packet() == '432[{"stream":"positions:spot@alice"}]'
    await client.send(event("ping"))
    [name, pong] = await client.event()
    assert (name, list(pong)) == ("pong", ["ts"])
    await client.close()


async def test_after_a_disconnect_nothing_is_pushed_and_a_new_connect_begins_anew(
    running: Running,
) -> None:
    client = await connect_websocket(running)
    await client.send(event("kline", KLINE))
    await client.event()
    await client.send("41")
    await client.send("40")
    assert (await client.packet()).startswith('40{"sid":')
    async with running.traders() as (alice, bob):
        await alice.place("BUY", 1000, 6684363)
        await bob.place("SELL", 1000, 6684363)
    await client.send(event("subscriptions", {}, id=1))
    assert await client.packet() == '431[{"streams":[]}]'
    await client.close()


async def test_requests_over_the_rate_are_refused_and_then_close() -> None:
    async with venue(configured(limits(requests_per_s=1, requests_burst=1))) as running:
        client = await connect_websocket(running)
        for _ in range(12):
            await client.send(event("ping"))
        assert (await client.event())[0] == "pong"
        assert (await client.event())[1]["code"] == "RATE_LIMITED"
        assert await client.closed_with() == 4029


async def test_a_stop_is_announced_over_both_transports() -> None:
    async with venue() as running, running.http() as http:
        poller = await connect_polling(http)
        client = await connect_websocket(running)
        stopping = running.venue.stop()
        [_, said], [_, heard], _ = await asyncio.gather(client.event(), poller.event(), stopping)
        assert said == heard == {"code": "CLOSING", "seconds": 1}
        assert await client.closed_with() == 1001


# What is not taken.

BREACHES = {
    "an unknown packet of Engine.IO": "9",
    "a ping": "2",
    "a second opening": "0{}",
    "an upgrade on what is a WebSocket already": "5",
    "nothing": "",
    "base64": "bAQIDBA==",
    "an unknown packet of Socket.IO": "49",
    "a second connect": "40",
    "attachments": '451-["kline",{"_placeholder":true,"num":0}]',
    "a great many attachments": '459999999999-["kline"]',
    "an acknowledgement with attachments": '461-1[{"_placeholder":true,"num":0}]',
    "an id without end": "42" + "9" * 1000 + '["kline"]',
    "an id in scientific notation": '421e99["kline"]',
    "a namespace that nobody is in": '42/admin,["kline"]',
    "a namespace without end": "40/" + "n" * 10_000,
    "no JSON": '42["kline",nope]',
    "JSON nested too deeply": '42["kline",' + "[" * 5000 + "]" * 5000 + "]",
    "no array": "42{}",
    "no name": "42[{}]",
}


@pytest.mark.parametrize("packet", BREACHES.values(), ids=BREACHES)
async def test_what_is_no_socketio_closes_and_harms_nobody(running: Running, packet: str) -> None:
    other = await connect_websocket(running)
    client = await connect_websocket(running)
    await client.send(packet)
    assert await client.closed_with() == 1008
    await other.send(event("ping"))
    assert (await other.event())[0] == "pong"
    await other.close()


@pytest.mark.parametrize("packet", BREACHES.values(), ids=BREACHES)
async def test_the_same_over_polling_is_refused_and_ends_the_session(
    running: Running, packet: str
) -> None:
    if packet == "5":
        packet = "5\x1e5"
    async with running.http() as http:
        other = await connect_polling(http)
        poller = await connect_polling(http)
        answer = await poller.post(packet)
        assert answer.status_code == 400
        assert answer.json()["code"] == 3
        assert await poller.is_over()
        await other.send(event("ping"))
        assert (await other.event())[0] == "pong"
        await other.close()


async def test_binary_messages_are_refused(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(b"\x01\x02")
    assert await client.closed_with() == 1003


async def test_a_hundred_thousand_namespaces_are_not_tried(running: Running) -> None:
    client, _ = await open_websocket(running.port)
    for number in range(10):
        await client.send(f"40/{number},")
        assert await client.packet() == f'44/{number},{{"message":"Invalid namespace"}}'
    await client.send("40/10,")
    assert await client.closed_with() == 1008


async def test_who_does_not_connect_in_time_is_closed() -> None:
    async with venue(configured(limits(handshake_s=1))) as running, running.http() as http:
        silent, _ = await open_websocket(running.port)
        assert await silent.closed_with() == 1008
        poller = await open_polling(http)
        assert (await poller.get()).text == "1"
        assert await poller.is_over()


async def test_a_message_over_the_bound_closes_with_1009(running: Running) -> None:
    client = await connect_websocket(running)
    await client.send(event("kline", "x" * 70_000))
    assert await client.closed_with() == 1009


# The handshake.


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example.org", 403), (None, 101)])
async def test_pages_from_elsewhere_may_not_connect(
    running: Running, origin: str | None, status: int
) -> None:
    headers = {**UPGRADE, "Host": f"127.0.0.1:{running.port}"}
    if origin is not None:
        headers["Origin"] = origin
    async with await connect(running.port) as client:
        answer = await http_head(client, head("/socket.io/?EIO=4&transport=websocket", headers))
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def test_one_connection_more_than_an_address_may_have_is_refused() -> None:
    # The HTTP connection, the session that is polled by it, and a WebSocket.
    async with venue(configured(limits(connections_per_address=3))) as running:
        async with running.http() as http:
            poller = await open_polling(http)
            client: WebSocketClient = await connect_websocket(running)
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websocket(running.port)
            assert refused.value.response.status_code == 429
            assert (await http.get("/socket.io/?EIO=4&transport=polling")).status_code == 429
            await poller.close()
            again = await open_polling(http)
            await again.close()
            await client.close()
