"""A WebSocket client made of bytes: it can do wrong, and it sees the very frames."""

import asyncio
import contextlib
import json
import re
import socket
from typing import Any

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
DEADLINE_S = 10.0
MASK = b"\x01\x02\x03\x04"

UPGRADE = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True
) -> bytes:
    """The bytes of one frame of a client."""
    size = len(payload)
    if size < 126:
        length = bytes([size | masked << 7])
    elif size < 65536:
        length = bytes([126 | masked << 7]) + size.to_bytes(2, "big")
    else:
        length = bytes([127 | masked << 7]) + size.to_bytes(8, "big")
    head = bytes([fin << 7 | reserved << 4 | opcode]) + length
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


def text(message: str) -> bytes:
    """A text in one frame."""
    return frame(TEXT, message.encode())


def request(event: str, message: object, id: int | None = None) -> bytes:
    """A request in one frame."""
    return text(json.dumps({"event": event, "message": message, "id": id}))


class RawClient:
    """One connection. Everything that waits has a deadline."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                await self._writer.drain()

    async def frame(self) -> bytes:
        """The next frame, all its bytes."""
        async with asyncio.timeout(DEADLINE_S):
            head = await self._reader.readexactly(2)
            assert head[1] < 128, "a server's frame is not masked"
            extended = {126: 2, 127: 8}.get(head[1], 0)
            length = await self._reader.readexactly(extended)
            size = int.from_bytes(length, "big") if extended else head[1]
            return head + length + await self._reader.readexactly(size)

    async def opcode_and_payload(self) -> tuple[int, bytes]:
        """The next frame, taken apart."""
        whole = await self.frame()
        return whole[0] & 15, whole[{126: 4, 127: 10}.get(whole[1], 2) :]

    async def text(self) -> str:
        """The next frame, which is a text."""
        opcode, payload = await self.opcode_and_payload()
        assert opcode == TEXT, payload
        return payload.decode()

    async def json(self) -> Any:
        return json.loads(await self.text())

    async def closed_with(self) -> int:
        """The code with which the server closes, after whatever it still has to say; 0: without one.

        It is answered, and the connection has ended when this returns.
        """
        opcode, payload = await self.opcode_and_payload()
        while opcode != CLOSE:
            opcode, payload = await self.opcode_and_payload()
        await self.send(frame(CLOSE, payload[:2]))
        await self.ended()
        return int.from_bytes(payload[:2], "big")

    async def ended(self) -> bytes:
        """Wait for the end of the connection; gives what came before it, a reset included."""
        came = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                while data := await self._reader.read(65_536):
                    came += data
        return came

    async def http_answer(self) -> bytes:
        """The next answer over HTTP, whole; it tells its length."""
        async with asyncio.timeout(DEADLINE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            return head + await self._reader.readexactly(int(length[1]) if length else 0)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> "RawClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def connect(port: int, *, receive_buffer: int | None = None) -> RawClient:
    """A TCP connection; `receive_buffer`: the little that the kernel takes for a client that does not
    read.
    """
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    limit = 65_536 if receive_buffer is None else 512
    return RawClient(*await asyncio.open_connection(sock=sock, limit=limit))


async def http_head(client: RawClient, head: bytes) -> bytes:
    """Send a head; gives the answer's, with its blank line."""
    await client.send(head)
    async with asyncio.timeout(DEADLINE_S):
        return await client._reader.readuntil(b"\r\n\r\n")


def head(path: str, headers: dict[str, str], method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def shake_hands(
    port: int, path: str, *, receive_buffer: int | None = None, offer: str | None = None
) -> RawClient:
    """A client whose upgrade was accepted; `offer`: of extensions."""
    client = await connect(port, receive_buffer=receive_buffer)
    headers = {**UPGRADE, "Host": f"127.0.0.1:{port}"}
    if offer is not None:
        headers["Sec-WebSocket-Extensions"] = offer
    answer = await http_head(client, head(path, headers))
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return client
