"""python-socketio on uvicorn and uvloop: emit to everyone."""

import asyncio
import socket
import sys

import socketio
import uvicorn

TEXT = "x" * int(sys.argv[1])
sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")


@sio.on("go")
async def go(sid, *_):
    await sio.emit("push", TEXT)
    await sio.emit("ok", to=sid)


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(2048)
print(listening.getsockname()[1], flush=True)
config = uvicorn.Config(
    socketio.ASGIApp(sio), log_level="error", loop="uvloop", ws_per_message_deflate=False
)
asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
