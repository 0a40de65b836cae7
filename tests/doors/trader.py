"""Signed REST requests (protocol §9)."""

import hmac
import json
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Credentials:
    key: str
    secret: str


ALICE = Credentials("clmsionk21ru", "alice-secret")
BOB = Credentials("bobsandboxkey1", "bob-secret")
READER = Credentials("bobreadonlykey", "bob-read-secret")

_last_ms = [0]


def now_ms() -> int:
    """The clock, but never the same twice: no two requests get the same signature."""
    _last_ms[0] = max(_last_ms[0] + 1, time.time_ns() // 1_000_000)
    return _last_ms[0]


def sign(who: Credentials, text: bytes) -> str:
    """What a text is signed with."""
    return b64encode(hmac.digest(who.secret.encode(), text, "sha256")).decode()


def signed(
    who: Credentials, method: str, target: str, body: bytes = b"", timestamp: int | None = None
) -> dict[str, str]:
    """The headers of a signed request."""
    stamp = str(now_ms() if timestamp is None else timestamp)
    text = f"{stamp}{method}{target}".encode() + body
    return {
        "JAYX-ACCESS-KEY": who.key,
        "JAYX-ACCESS-TIMESTAMP": stamp,
        "JAYX-ACCESS-SIGN": sign(who, text),
    }


class Trader:
    """One account's way to REST."""

    def __init__(self, http: httpx.AsyncClient, who: Credentials) -> None:
        self._http = http
        self._who = who

    async def call(
        self, method: str, path: str, body: bytes | dict[str, Any] = b""
    ) -> httpx.Response:
        """`path` is what follows `/api/v1/trader/`."""
        target = f"/api/v1/trader/{path}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = signed(self._who, method, target, content)
        return await self._http.request(method, target, content=content, headers=headers)

    async def done(
        self, method: str, path: str, body: bytes | dict[str, Any] = b""
    ) -> tuple[Any, int]:
        """Data and seq of a request that is done."""
        response = await self.call(method, path, body)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert list(answer) == ["code", "data", "seq"]
        assert answer["code"] == "OK"
        return answer["data"], answer["seq"]

    async def place(
        self, side: str, lots: int, ticks: int, type: str = "LIMIT", **more: Any
    ) -> tuple[Any, int]:
        """The order and its seq."""
        order = {"symbol": "BTCUSDT", "side": side, "type": type, "lots": lots, "ticks": ticks}
        return await self.done("POST", "order", {**order, **more})

    async def cancel(self, order_id: int) -> tuple[Any, int]:
        return await self.done("DELETE", f"order?id={order_id}")
