"""The servers that the suites are run on, each in a process of its own: `python -m
tests.conformance.servers NAME PORT`.
"""

import asyncio
import sys
from typing import Any

import engineio  # type: ignore[import-untyped]
import socketio  # type: ignore[import-untyped]
import uvicorn
import uvloop
import websockets

from tests.conformance.applications import GREET_AFTER_S, TERMS, start_echo, start_suites

PEER_TERMS = {
    "async_mode": "asgi",
    "ping_interval": TERMS.ping_interval / 1000,
    "ping_timeout": TERMS.ping_timeout / 1000,
    "max_http_buffer_size": TERMS.max_payload,
    "cors_allowed_origins": "*",
}


async def serve_suites(port: int) -> None:
    await start_suites(port)


async def serve_echo(port: int) -> None:
    await start_echo(port)


async def serve_python_engineio(port: int) -> None:
    """As the suite's document asks for."""
    server = engineio.AsyncServer(**PEER_TERMS)
    server.on("message", server.send)
    await _serve_asgi(port, engineio.ASGIApp(server))


async def serve_python_socketio(port: int) -> None:
    """The same; with the same kindness to the suite's clients that ours have."""
    server = socketio.AsyncServer(**PEER_TERMS, always_connect=True, namespaces=["/", "/custom"])

    async def greet(sid: str, namespace: str, auth: Any) -> None:
        await asyncio.sleep(GREET_AFTER_S)
        await server.emit("auth", auth or {}, to=sid, namespace=namespace)

    async def main_connect(sid: str, environ: Any, auth: Any = None) -> None:
        server.start_background_task(greet, sid, "/", auth)

    async def custom_connect(sid: str, environ: Any, auth: Any = None) -> None:
        server.start_background_task(greet, sid, "/custom", auth)

    async def message(sid: str, *arguments: Any) -> None:
        await server.emit("message-back", arguments, to=sid)

    async def message_with_ack(sid: str, *arguments: Any) -> tuple[Any, ...]:
        return arguments

    server.on("connect", main_connect)
    server.on("connect", custom_connect, namespace="/custom")
    server.on("message", message)
    server.on("message-with-ack", message_with_ack)
    await _serve_asgi(port, socketio.ASGIApp(server))


async def serve_websockets(port: int) -> None:
    """The library's own server, as its examples have it, without compression."""

    async def echo(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    await websockets.serve(echo, "127.0.0.1", port, max_size=None, compression=None)


async def _serve_asgi(port: int, application: Any) -> None:
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="critical")
    task = asyncio.create_task(uvicorn.Server(config).serve())
    await asyncio.wait([task], timeout=1)


SERVERS = {
    "suites": serve_suites,
    "echo": serve_echo,
    "python-engineio": serve_python_engineio,
    "python-socketio": serve_python_socketio,
    "websockets": serve_websockets,
}


async def _main(name: str, port: int) -> None:
    await SERVERS[name](port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], int(sys.argv[2])))
