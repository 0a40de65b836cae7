"""Trading over Socket.IO: whatever carries the session, answers come to callbacks (protocol §8, §9)."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.doors.engineio import (
    Poller,
    WebSocketClient,
    connect_polling,
    connect_websocket,
    upgrade,
)
from tests.doors.running import Running
from tests.doors.stream_trader import login
from tests.doors.trader import ALICE, Credentials

TRANSPORTS = ("websocket", "polling", "upgraded")


class SocketTrader:
    """One session in the main namespace; answers are found by their ids."""

    def __init__(self, client: Poller | WebSocketClient) -> None:
        self.client = client
        self._last_id = -1

    async def send(self, event: str, message: object) -> int:
        """Send a request, and give its id."""
        self._last_id += 1
        await self.client.send(f"42{self._last_id}{json.dumps([event, message])}")
        return self._last_id

    async def answer(self, request_id: int) -> dict[str, Any]:
        """What the callback of a request is called with; what comes before it is passed over."""
        head = f"43{request_id}["
        while not (packet := await self.client.packet()).startswith(head):
            pass
        [told] = json.loads(packet[len(head) - 1 :])
        answer: dict[str, Any] = told
        return answer

    async def ask(self, event: str, message: object) -> dict[str, Any]:
        """The answer to one request."""
        return await self.answer(await self.send(event, message))

    async def done(self, event: str, message: object) -> tuple[Any, int]:
        """Data and seq of a request that is done."""
        told = await self.ask(event, message)
        assert list(told) == ["code", "data", "seq"], told
        assert told["code"] == "OK"
        return told["data"], told["seq"]

    async def refusal(self, event: str, message: object) -> tuple[str, str]:
        """Code and reason of a request that is refused."""
        told = await self.ask(event, message)
        assert list(told) == ["error"], told
        assert list(told["error"]) == ["code", "reason"]
        return told["error"]["code"], told["error"]["reason"]


@contextlib.asynccontextmanager
async def connected(running: Running, transport: str) -> AsyncIterator[SocketTrader]:
    """A session over one of `TRANSPORTS`, in the main namespace."""
    async with running.http() as http:
        if transport == "websocket":
            yield SocketTrader(await connect_websocket(running))
            return
        poller = await connect_polling(http)
        if transport == "polling":
            yield SocketTrader(poller)
        else:
            yield SocketTrader(await upgrade(poller, running.port))


@contextlib.asynccontextmanager
async def socket_logged_in(
    running: Running, transport: str, who: Credentials = ALICE, **more: Any
) -> AsyncIterator[SocketTrader]:
    """A session on which someone has logged in."""
    async with connected(running, transport) as trader:
        await trader.done("login", login(who, **more))
        yield trader
