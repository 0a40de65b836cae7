"""Clients of the streams: they subscribe, unsubscribe, stop reading, and end in every way there is."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import httpx
import websockets

from jayx_stream.doors.engineio import UNKNOWN_SESSION
from tests.doors.engineio import (
    WebSocketClient,
    connect_polling,
    open_websocket,
    upgrade,
)
from tests.doors.raw import CLOSE, PING, PONG, TEXT, frame, request, shake_hands
from tests.soak.crowd import ACCOUNTS, END_WITHIN_S, PING_S, SYMBOLS, Crowd, Life

RECEIVE_BYTES = 4096
"""Of a client who may stop reading."""
NORMAL, SLOW_READER = 1000, 4008
PUSH = re.compile(rb'"stream":"([^"]+)","seq":(\d+)')
Message = dict[str, Any]
BOOK = "orderbook", {"category": "spot", "symbol": "BTCUSDT", "precise": "1", "depth": 20}
"""That the whole crowd reads."""


def subscription(random: Random) -> tuple[str, Message]:
    """Event and message of any stream."""
    message: Message = {"category": "spot", "symbol": random.choice(SYMBOLS)}
    kind = random.choice(("kline", "orderbook", "delta", "positions", "openorders"))
    if kind == "kline":
        return kind, {**message, "interval": random.choice(("60", "300")), "limit": 5}
    if kind == "orderbook":
        return kind, {**message, "precise": random.choice(("1", "10")), "depth": 20}
    if kind == "delta":
        return "orderbook", {**message, "precise": "1", "mode": "delta"}
    message["apiKey"] = random.choice(ACCOUNTS).key
    if kind == "positions" or random.random() < 0.5:
        del message["symbol"]
    return kind, message


class Reader(Life):
    """A raw WebSocket. What it was last told of private streams it remembers, for its next life."""

    def __init__(self, crowd: Crowd, random: Random) -> None:
        super().__init__(crowd, random)
        self._known: dict[str, tuple[str, Message]] = {}
        """Private streams by name: event, and message with the `since` of the newest push."""
        self._endings: list[Callable[[], Awaitable[None]]] = [
            self._say_goodbye,
            self._be_cut,
            self._half_close,
            self._vanish,
            self._stop_reading,
        ]

    async def live(self) -> None:
        """See `Life`."""
        self._streams: dict[str, int] = {}
        """Seq of the newest push, by stream."""
        self._asked: dict[int, tuple[str, Message]] = {}
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._closed_with: int | None = None
        self._has_said_all = False
        small = RECEIVE_BYTES if self.random.random() < 0.5 else None
        async with await shake_hands(self.crowd.port, "/", receive_buffer=small) as client:
            self._client = client
            self._reading = asyncio.create_task(self._read())
            try:
                await self._talk()
                await self.random.choices(self._endings, (3, 4, 2, 1, 2))[0]()
            finally:
                self._reading.cancel()
                with contextlib.suppress(
                    asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError
                ):
                    await self._reading
                client._writer.transport.abort()
        if self._closed_with not in (None, NORMAL, SLOW_READER):
            self.crowd.blame(f"a reader was closed with {self._closed_with}")

    async def _talk(self) -> None:
        """Say what it wants, and read for a while."""
        for _ in range(self.random.randint(1, 8)):
            await self._client.send(self._ask())
            await self.crowd.pause(self.random.uniform(0.0, 1.0))

    def _ask(self) -> bytes:
        """A subscription more, or one less; of what is known since then."""
        if self._streams and self.random.random() < 0.25:
            stream = self.random.choice(list(self._streams))
            del self._streams[stream]
            return request("unsubscribe", {"stream": stream})
        # What was asked for already, and has no answer yet, may be one of those.
        asked = {event for event, _ in self._asked.values()}
        fresh = [each for each in self._known.values() if each[0] not in asked]
        is_known = bool(fresh) and self.random.random() < 0.5
        event, message = self.random.choice(fresh) if is_known else subscription(self.random)
        self.crowd.counts["subscriptions since"] += is_known
        self.crowd.counts["subscriptions"] += 1
        number = len(self._asked)
        self._asked[number] = (
            event,
            {name: value for name, value in message.items() if name not in ("since", "epoch")},
        )
        return request(event, message, number)

    async def _read(self) -> None:
        while True:
            await self._may_read.wait()
            opcode, payload = await self._client.opcode_and_payload()
            if opcode == TEXT:
                self._take(payload)
            elif opcode == PING:
                await self._answer(PONG, payload)
            elif opcode == CLOSE:
                self._closed_with = int.from_bytes(payload[:2], "big")
                await self._answer(CLOSE, payload[:2])
                return

    async def _answer(self, opcode: int, payload: bytes) -> None:
        if not self._has_said_all:
            await self._client.send(frame(opcode, payload))

    def _take(self, payload: bytes) -> None:
        push = PUSH.search(payload)
        if push is not None:
            self.crowd.counts["pushes"] += 1
            stream, seq = push[1].decode(), int(push[2])
            if seq < self._streams.get(stream, 0):
                self.crowd.blame(f"{stream} went back from {self._streams[stream]} to {seq}")
            if stream in self._streams:
                self._streams[stream] = seq
            if stream in self._known:
                self._known[stream][1]["since"] = seq
            return
        told = json.loads(payload)
        if told["event"] == "ack" and "epoch" in told["message"]:
            stream = told["message"]["stream"]
            event, message = self._asked[told["id"]]
            self._streams.setdefault(stream, 0)
            if "apiKey" in message:
                since = {"since": 0, "epoch": told["message"]["epoch"]}
                self._known.setdefault(stream, (event, {**message, **since}))
        elif told["event"] != "ack" and told["message"].get("code") != "NOT_SUBSCRIBED":
            self.crowd.blame(f"a reader was told {payload!r}")

    # Endings.

    async def _say_goodbye(self) -> None:
        await self._client.send(frame(CLOSE, NORMAL.to_bytes(2, "big")))
        await self._end()

    async def _be_cut(self) -> None:
        self._client._writer.transport.abort()

    async def _half_close(self) -> None:
        self._has_said_all = True
        self._client._writer.write_eof()
        await self._end()

    async def _vanish(self) -> None:
        """Read nothing and answer nothing, until the server must have seen it."""
        self._may_read.clear()
        await self.crowd.pause(2 * PING_S + 1)

    async def _stop_reading(self) -> None:
        """For less than what the server puts up with; then read on."""
        self._may_read.clear()
        await self.crowd.pause(self.random.uniform(1.0, 0.6 * PING_S))
        self._may_read.set()
        await self.crowd.pause(self.random.uniform(0.0, 2.0))

    async def _end(self) -> None:
        """Wait until the server has ended it too."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(END_WITHIN_S):
                await self._reading


class Member(Reader):
    """One of so many who read the same book that its pushes go through them in waves
    (`jayx_stream.hub.crowd`). Some ask for more meanwhile.
    """

    async def _talk(self) -> None:
        self._asked[0] = BOOK
        await self._client.send(request(*BOOK, 0))
        await self.crowd.pause(self.random.uniform(0.0, 15.0))
        if self.random.random() < 0.3:
            await super()._talk()


class PasserBy(Life):
    """Looks in, and is gone."""

    async def live(self) -> None:
        """See `Life`."""
        async with await shake_hands(self.crowd.port, "/") as client:
            for number in range(2):
                await client.send(request(*subscription(self.random), number))
            await client.text()
            if self.random.random() < 0.5:
                client._writer.transport.abort()
        await self.crowd.pause(0.2)


class SocketioReader(Life):
    """Socket.IO over WebSocket."""

    async def live(self) -> None:
        """See `Life`."""
        client, _ = await open_websocket(self.crowd.port)
        await listen(self.crowd, self.random, client)


class Poller(Life):
    """Socket.IO by polling, perhaps upgraded."""

    async def live(self) -> None:
        """See `Life`."""
        url = f"http://127.0.0.1:{self.crowd.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            poller = await connect_polling(http)
            try:
                for _ in range(self.random.randint(1, 3)):
                    await poller.send(emitted(self.random))
                    await poller.packet()
            except AssertionError as error:
                if UNKNOWN_SESSION.message in str(error):
                    raise ConnectionResetError("the session is over") from error
                raise
            ending = self.random.choice(("upgrade", "upgrade", "close", "leave"))
            if ending == "upgrade":
                client = await upgrade(poller, self.crowd.port)
                await listen(self.crowd, self.random, client, is_connected=True)
            elif ending == "close":
                await poller.close()
            else:
                # Its session is over once it was silent for too long.
                await self.crowd.pause(self.random.uniform(0.0, 1.0))


def emitted(random: Random) -> str:
    """A subscription as an event."""
    return f"42{json.dumps(subscription(random))}"


async def listen(
    crowd: Crowd, random: Random, client: WebSocketClient, *, is_connected: bool = False
) -> None:
    """Subscribe, read for a while, and end; pings are answered."""
    if not is_connected:
        await client.send("40")
    for _ in range(random.randint(1, 5)):
        await client.send(emitted(random))
    ending = random.choice(("goodbye", "close", "cut"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(random.uniform(0.5, 6.0)):
            while not crowd.enough.is_set():
                packet = await client.connection.recv()
                crowd.counts["Socket.IO packets"] += 1
                if packet == "2":
                    await client.send("3")
    with contextlib.suppress(websockets.ConnectionClosed):
        if ending == "goodbye":
            await client.send("1")
            await client.connection.wait_closed()
        elif ending == "close":
            await client.close()
        else:
            client.connection.transport.abort()
            await client.connection.wait_closed()
