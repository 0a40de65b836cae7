"""Every case of the official Engine.IO suite, written anew; Socket.IO's suite has most of them again."""

import asyncio

import httpx
import pytest
import websockets

from tests.conformance.applications import Suites
from tests.conformance.conftest import PATIENT_TERMS as TERMS
from tests.doors.engineio import WebSocketClient, open_polling, open_websocket, upgrade, websocket

ENGINEIO = "/engine.io/"
PATHS = pytest.mark.parametrize("path", [ENGINEIO, "/socket.io/"])
OPENING = {
    "pingInterval": TERMS.ping_interval,
    "pingTimeout": TERMS.ping_timeout,
    "maxPayload": TERMS.max_payload,
}
UNTIL_TIMEOUT_S = (TERMS.ping_interval + TERMS.ping_timeout) / 1000


# Handshake.


@PATHS
async def test_polling_opens_a_session(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        answer = await http.get(f"{path}?EIO=4&transport=polling")
        assert answer.status_code == 200
        assert answer.text[0] == "0"
        opening = httpx.Response(200, text=answer.text[1:]).json()
        assert isinstance(opening.pop("sid"), str)
        assert opening == {"upgrades": ["websocket"], **OPENING}


@PATHS
@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", "transport=polling"),
        ("GET", "EIO=abc&transport=polling"),
        ("GET", "EIO=4"),
        ("GET", "EIO=4&transport=abc"),
        ("GET", "EIO=3&transport=polling"),
        ("GET", "EIO=4&transport=polling&sid=nobody"),
        ("POST", "EIO=4&transport=polling"),
        ("PUT", "EIO=4&transport=polling"),
        ("DELETE", "EIO=4&transport=polling"),
    ],
)
async def test_polling_otherwise_opens_none(
    suites: Suites, path: str, method: str, query: str
) -> None:
    async with suites.http() as http:
        assert (await http.request(method, f"{path}?{query}")).status_code == 400


@PATHS
async def test_a_websocket_opens_a_session(suites: Suites, path: str) -> None:
    client, opening = await open_websocket(suites.port, path)
    assert isinstance(opening.pop("sid"), str)
    assert opening == {"upgrades": [], **OPENING}
    await client.close()


@PATHS
@pytest.mark.parametrize(
    "query",
    [
        "transport=websocket",
        "EIO=abc&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=nobody",
    ],
)
async def test_a_websocket_otherwise_opens_none(suites: Suites, path: str, query: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"ws://127.0.0.1:{suites.port}{path}?{query}", proxy=None)
    assert refused.value.response.status_code == 400


# Messages.


@pytest.mark.parametrize(
    "payload", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4"]
)
async def test_a_payload_comes_and_goes(suites: Suites, payload: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, ENGINEIO)
        await poller.send(payload)
        for packet in payload.split("\x1e"):
            assert await poller.packet() == packet


@PATHS
async def test_a_payload_that_is_none_ends_the_session(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, path)
        assert (await poller.post("abc")).status_code == 400
        assert (await poller.get()).status_code == 400


@PATHS
async def test_two_gets_at_once_end_the_session(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, path)
        first = asyncio.create_task(poller.get())
        while not suites.is_asked(poller.sid):
            await asyncio.sleep(0)
        assert (await poller.get()).status_code == 400
        answer = await first
        assert (answer.status_code, answer.text) == (200, "1")
        assert (await poller.get()).status_code == 400


@pytest.mark.parametrize(("sent", "answered"), [("4hello", "4hello"), (b"\x01\x02", b"\x01\x02")])
async def test_a_websocket_takes_text_and_bytes(
    suites: Suites, sent: str | bytes, answered: str | bytes
) -> None:
    client, _ = await open_websocket(suites.port, ENGINEIO)
    await client.send(sent)
    assert await client.message() == answered
    await client.close()


@PATHS
async def test_a_packet_that_is_none_closes_the_websocket(suites: Suites, path: str) -> None:
    client, _ = await open_websocket(suites.port, path)
    await client.send("abc")
    assert await client.closed_with() == 1008


# Heartbeat.


@PATHS
async def test_polling_is_pinged_and_stays_with_a_pong(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, path)
        for _ in range(3):
            answer = await poller.get()
            assert (answer.status_code, answer.text) == (200, "2")
            await poller.send("3")


@PATHS
async def test_polling_without_a_pong_ends(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, path)
        await asyncio.sleep(UNTIL_TIMEOUT_S)
        assert (await poller.get()).status_code == 400


@PATHS
async def test_a_websocket_is_pinged_and_stays_with_a_pong(suites: Suites, path: str) -> None:
    client, _ = await open_websocket(suites.port, path)
    for _ in range(3):
        assert await client.raw() == "2"
        await client.send("3")
    await client.close()


@PATHS
async def test_a_websocket_without_a_pong_is_cut(suites: Suites, path: str) -> None:
    client, _ = await open_websocket(suites.port, path)
    assert await client.raw() == "2"
    with pytest.raises(websockets.ConnectionClosed):
        await client.raw()


# Close.


@PATHS
async def test_polling_may_be_closed(suites: Suites, path: str) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, path)
        asking = asyncio.create_task(poller.get())
        while not suites.is_asked(poller.sid):
            await asyncio.sleep(0)
        await poller.send("1")
        answer = await asking
        assert (answer.status_code, answer.text) == (200, "6")
        assert (await poller.get()).status_code == 400


@PATHS
async def test_a_websocket_may_be_closed(suites: Suites, path: str) -> None:
    client, _ = await open_websocket(suites.port, path)
    await client.send("1")
    assert await client.closed_with() == 1000


# Upgrade.


async def test_polling_is_upgraded_to_a_websocket(suites: Suites) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, ENGINEIO)
        client = await websocket(suites.port, ENGINEIO, poller.sid)
        await client.send("2probe")
        assert await client.raw() == "3probe"
        answer = await poller.get()
        assert (answer.status_code, answer.text) == (200, "6")
        await client.send("5")
        assert await still_echoes(client)
        await client.close()


async def still_echoes(client: WebSocketClient) -> bool:
    await client.send("4hello")
    return await client.packet() == "4hello"


async def test_after_an_upgrade_polling_is_refused_and_harms_nothing(suites: Suites) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, ENGINEIO)
        client = await upgrade(poller, suites.port)
        assert await still_echoes(client)
        assert (await poller.get()).status_code == 400
        assert (await poller.post("4hello")).status_code == 400
        assert await still_echoes(client)
        await client.close()


async def test_after_an_upgrade_another_websocket_is_closed_and_harms_nothing(
    suites: Suites,
) -> None:
    async with suites.http() as http:
        poller = await open_polling(http, ENGINEIO)
        client = await upgrade(poller, suites.port)
        assert await still_echoes(client)
        other = await websocket(suites.port, ENGINEIO, poller.sid)
        assert await other.closed_with() == 1008
        assert await still_echoes(client)
        await client.close()
