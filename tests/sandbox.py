"""The sandbox of the documents, served in this process: what they say can be tried on it."""

import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from time import time

import httpx
import msgspec

from jayx_stream.app import config as configuration
from jayx_stream.app.clock import system_clock
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.journal.memory import MemoryJournal

SANDBOX = Path(__file__).parent.parent / "examples" / "sandbox.toml"

ALICE = ("clmsionk21ru", "alice-secret-for-the-sandbox")
BOB = ("bobsandboxkey1", "bob-secret-for-the-sandbox")


@asynccontextmanager
async def served_venue() -> AsyncIterator[str]:
    """The sandbox, kept in memory, on a free port; gives `host:port`."""
    config = configuration.load(SANDBOX)
    server = msgspec.structs.replace(config.server, port=0)
    limits = msgspec.structs.replace(config.limits, drain_s=0)
    config = msgspec.structs.replace(config, server=server, limits=limits)
    venue = EmbeddedVenue(config, MemoryJournal(), system_clock)
    await venue.recover()
    port = await venue.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await venue.stop()


async def signed(
    at: str, method: str, target: str, body: str = "", key: tuple[str, str] = ALICE
) -> httpx.Response:
    timestamp = str(int(time() * 1000))
    text = (timestamp + method + target + body).encode()
    headers = {
        "JAYX-ACCESS-KEY": key[0],
        "JAYX-ACCESS-TIMESTAMP": timestamp,
        "JAYX-ACCESS-SIGN": b64encode(hmac.digest(key[1].encode(), text, "sha256")).decode(),
    }
    async with httpx.AsyncClient(base_url=f"http://{at}") as client:
        return await client.request(method, target, content=body, headers=headers)


def login(key: tuple[str, str] = ALICE) -> dict[str, object]:
    """The request that opens a stream for trading."""
    timestamp = str(int(time() * 1000))
    text = f"{timestamp}GET/stream/login".encode()
    sign = b64encode(hmac.digest(key[1].encode(), text, "sha256")).decode()
    message = {"apiKey": key[0], "timestamp": timestamp, "sign": sign}
    return {"event": "login", "message": message, "id": 1}


async def trade(at: str) -> None:
    """Let alice and bob trade some of what each puts into the book; both sides keep some."""
    for side, lots, ticks, key in (
        ("SELL", 1000, 6000000, BOB),
        ("BUY", 400, 6000000, ALICE),
        ("BUY", 900, 6000000, ALICE),
        ("SELL", 50, 6000100, BOB),
    ):
        body = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "lots": lots, "ticks": ticks}
        answer = await signed(at, "POST", "/api/v1/trader/order", json.dumps(body), key)
        assert answer.status_code == HTTPStatus.OK, answer.text
