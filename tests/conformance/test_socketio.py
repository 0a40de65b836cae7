"""Every case of the official Socket.IO suite that Engine.IO's has not, written anew."""

import json

import pytest
import websockets

from tests.conformance.applications import Suites
from tests.doors.engineio import WebSocketClient, open_websocket

PLACED = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


async def connected(suites: Suites) -> WebSocketClient:
    """A client in the main namespace, who was greeted."""
    client, _ = await open_websocket(suites.port)
    await client.send("40")
    assert (await client.packet()).startswith("40{")
    assert await client.packet() == '42["auth",{}]'
    return client


# Connect.


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize("auth", ["", '{"token":"123"}'])
async def test_a_connect_is_granted_and_says_who(suites: Suites, namespace: str, auth: str) -> None:
    client, _ = await open_websocket(suites.port)
    await client.send(f"40{namespace}{auth}")
    granted = await client.packet()
    assert granted.startswith(f"40{namespace}")
    granted = json.loads(granted.removeprefix(f"40{namespace}"))
    assert list(granted) == ["sid"]
    assert isinstance(granted["sid"], str)
    assert await client.packet() == f'42{namespace}["auth",{auth or "{}"}]'
    await client.close()


async def test_an_unknown_namespace_is_refused(suites: Suites) -> None:
    client, _ = await open_websocket(suites.port)
    await client.send("40/random")
    assert await client.packet() == '44/random,{"message":"Invalid namespace"}'
    await client.close()


async def test_an_invalid_connect_closes(suites: Suites) -> None:
    client, _ = await open_websocket(suites.port)
    await client.send("4abc")
    assert await client.closed_with() == 1008


async def test_who_never_connects_is_closed(suites: Suites) -> None:
    client, _ = await open_websocket(suites.port)
    with pytest.raises(websockets.ConnectionClosed):
        await client.packet()


# Disconnect.


async def test_after_a_disconnect_the_session_goes_on(suites: Suites) -> None:
    client = await connected(suites)
    await client.send("41")
    assert await client.raw() == "2"
    await client.close()


async def test_a_disconnect_from_one_namespace_leaves_the_other(suites: Suites) -> None:
    client = await connected(suites)
    await client.send("40/custom")
    assert (await client.packet()).startswith("40/custom,{")
    assert await client.packet() == '42/custom,["auth",{}]'
    await client.send("41/custom")
    await client.send('42["message","to main"]')
    assert await client.packet() == '42["message-back","to main"]'
    await client.close()


# Messages.


async def test_an_event_comes_and_goes(suites: Suites) -> None:
    client = await connected(suites)
    await client.send('42["message",1,"2",{"3":[true]}]')
    assert await client.packet() == '42["message-back",1,"2",{"3":[true]}]'
    await client.close()


async def test_an_event_is_acknowledged(suites: Suites) -> None:
    client = await connected(suites)
    await client.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert await client.packet() == '43456[1,"2",{"3":[false]}]'
    await client.close()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (f'452-["message",{PLACED}]', f'452-["message-back",{PLACED}]'),
        (f'452-789["message-with-ack",{PLACED}]', f"462-789[{PLACED}]"),
    ],
)
async def test_attachments_come_and_go(suites: Suites, sent: str, answered: str) -> None:
    client = await connected(suites)
    await client.send(sent)
    await client.send(b"\x01\x02\x03")
    await client.send(b"\x04\x05\x06")
    assert await client.packet() == answered
    assert await client.message() == b"\x01\x02\x03"
    assert await client.message() == b"\x04\x05\x06"
    await client.close()


@pytest.mark.parametrize("sent", ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]'])
async def test_an_invalid_packet_closes(suites: Suites, sent: str) -> None:
    client = await connected(suites)
    await client.send(sent)
    assert await client.closed_with() == 1008
