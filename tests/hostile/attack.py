"""Ways to do wrong: how a row of the table reaches the server, and how its answer is told in one line.

Attackers come from addresses of their own, each row from another: what one of them may no longer do says
nothing about the others.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any

from tests.doors.raw import CLOSE, PONG, TEXT, UPGRADE, RawClient, head, http_head, text

_addresses = count(2)

Attack = Callable[["Attacker"], Awaitable[str]]
"""Does it, and tells the answer."""


class Attacker:
    """One hostile host."""

    def __init__(self, port: int) -> None:
        number = next(_addresses)
        self.address = f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self._port = port

    async def connect(self) -> RawClient:
        """A TCP connection."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self.address, 0)
        )
        return RawClient(reader, writer)

    async def upgrade(self, offer: str | None = None) -> RawClient:
        """A WebSocket connection; `offer`: of extensions."""
        client = await self.connect()
        more = {} if offer is None else {"Sec-WebSocket-Extensions": offer}
        answer = await http_head(client, self.head("/", {**UPGRADE, **more}))
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return client

    def head(self, path: str, headers: dict[str, str], method: str = "GET") -> bytes:
        """Of a request to the server."""
        return head(path, {**headers, "Host": f"127.0.0.1:{self._port}"}, method)


def sent(data: bytes, answers: int = 0, offer: str | None = None) -> Attack:
    """Over a WebSocket: send the bytes, and tell so many answers, or all until the close."""

    async def attack(attacker: Attacker) -> str:
        async with await attacker.upgrade(offer) as client:
            await client.send(data)
            return await told(client, answers)

    return attack


def said(message: str) -> Attack:
    """Over a WebSocket: send one text, and tell its one answer."""
    return sent(text(message), answers=1)


def asked(data: bytes) -> Attack:
    """Over plain HTTP: send the bytes as they are, and tell status and code."""

    async def attack(attacker: Attacker) -> str:
        async with await attacker.connect() as client:
            await client.send(data)
            return http_answer(await client.ended())

    return attack


def http_answer(answer: bytes) -> str:
    """Status and, if there is one, the code in the body; each kind once."""
    lines = []
    for part in answer.split(b"HTTP/1.1 ")[1:]:
        head, _, body = part.partition(b"\r\n\r\n")
        code = ""
        with suppress(ValueError, KeyError, TypeError):
            code = " " + json.loads(body)["code"]
        lines.append(head[:3].decode() + code)
    return _told_once(lines) or "closed"


async def told(client: RawClient, answers: int = 0) -> str:
    """What the server answers over a WebSocket: so many answers, or all up to the close."""
    lines: list[str] = []
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while not answers or len(lines) < answers:
            opcode, payload = await client.opcode_and_payload()
            if opcode == CLOSE:
                lines.append(f"close {int.from_bytes(payload[:2], 'big')}")
                return _told_once(lines)
            lines.append("pong" if opcode == PONG else _line(opcode, payload))
        return _told_once(lines)
    return _told_once([*lines, "cut"])


def _line(opcode: int, payload: bytes) -> str:
    if opcode != TEXT:
        return f"opcode {opcode}"
    message: dict[str, Any] = json.loads(payload)
    if message["event"] == "error":
        return str(message["message"]["code"])
    return str(message["event"])


def _told_once(lines: list[str]) -> str:
    """Each kind of answer once, in the order of the first of each: how many fit a second is no matter."""
    return ", ".join(dict.fromkeys(lines))
