"""Engine.IO clients made of HTTP requests and WebSocket texts: they can do wrong."""

import asyncio
import json
from typing import Any

import httpx
import websockets

from tests.doors.raw import DEADLINE_S
from tests.doors.running import Running

SOCKETIO = "/socket.io/"


class Poller:
    """One session over polling; what it is told is read packet by packet."""

    def __init__(self, http: httpx.AsyncClient, path: str, sid: str) -> None:
        self.http = http
        self.path = path
        self.sid = sid
        self._packets: list[str] = []

    @property
    def query(self) -> str:
        return f"{self.path}?EIO=4&transport=polling&sid={self.sid}"

    async def get(self) -> httpx.Response:
        return await self.http.get(self.query, timeout=DEADLINE_S)

    async def post(self, *packets: str) -> httpx.Response:
        return await self.http.post(self.query, content="\x1e".join(packets).encode())

    async def send(self, *packets: str) -> None:
        answer = await self.post(*packets)
        assert (answer.status_code, answer.text) == (200, "ok"), answer.text

    async def packet(self) -> str:
        """The next packet but pings and noops."""
        while not self._packets:
            answer = await self.get()
            assert answer.status_code == 200, answer.text
            self._packets = [each for each in answer.text.split("\x1e") if each not in ("2", "6")]
        return self._packets.pop(0)

    async def event(self) -> list[Any]:
        return event_of(await self.packet())

    async def close(self) -> None:
        """End the session; a stop would wait for whoever has not been told of it."""
        await self.send("1")

    async def is_over(self) -> bool:
        """Whether the server has forgotten the session."""
        return (await self.post("3")).status_code == 400


async def open_polling(http: httpx.AsyncClient, path: str = SOCKETIO) -> Poller:
    """A session that is open."""
    answer = await http.get(f"{path}?EIO=4&transport=polling")
    assert answer.status_code == 200, answer.text
    assert answer.text[0] == "0"
    return Poller(http, path, json.loads(answer.text[1:])["sid"])


async def connect_polling(http: httpx.AsyncClient) -> Poller:
    """A session that is in the main namespace."""
    poller = await open_polling(http)
    await poller.send("40")
    assert (await poller.packet()).startswith('40{"sid":')
    return poller


class WebSocketClient:
    """One WebSocket at an Engine.IO path."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def send(self, packet: str | bytes) -> None:
        await self.connection.send(packet)

    async def raw(self) -> str | bytes:
        """The next message."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.connection.recv()

    async def message(self) -> str | bytes:
        """The next message but pings."""
        while (message := await self.raw()) == "2":
            pass
        return message

    async def packet(self) -> str:
        """The next text but pings."""
        packet = await self.message()
        assert isinstance(packet, str)
        return packet

    async def event(self) -> list[Any]:
        return event_of(await self.packet())

    async def closed_with(self) -> int:
        """The code with which the server closes, after whatever it still has to say."""
        try:
            while True:
                await self.raw()
        except websockets.ConnectionClosed:
            assert self.connection.close_code is not None
            return self.connection.close_code

    async def close(self) -> None:
        await self.connection.close()


async def websocket(port: int, path: str = SOCKETIO, sid: str | None = None) -> WebSocketClient:
    """A WebSocket whose upgrade was accepted."""
    query = "?EIO=4&transport=websocket" + ("" if sid is None else f"&sid={sid}")
    uri = f"ws://127.0.0.1:{port}{path}{query}"
    return WebSocketClient(await websockets.connect(uri, proxy=None))


async def open_websocket(port: int, path: str = SOCKETIO) -> tuple[WebSocketClient, dict[str, Any]]:
    """A WebSocket whose session is open, and what was said at the opening."""
    client = await websocket(port, path)
    opening = await client.packet()
    assert opening[0] == "0"
    return client, json.loads(opening[1:])


async def connect_websocket(running: Running) -> WebSocketClient:
    """A WebSocket whose session is in the main namespace."""
    client, _ = await open_websocket(running.port)
    await client.send("40")
    assert (await client.packet()).startswith('40{"sid":')
    return client


async def upgrade(poller: Poller, port: int) -> WebSocketClient:
    """Take a polled session over, as the protocol says it is done."""
    client = await websocket(port, poller.path, poller.sid)
    await client.send("2probe")
    assert await client.raw() == "3probe"
    await client.send("5")
    return client


def event_of(packet: str) -> list[Any]:
    """Name and arguments of an event."""
    assert packet.startswith("42"), packet
    event: list[Any] = json.loads(packet[2:])
    return event
