"""`websockets` on uvloop with its default compression: its own `broadcast` of the lines of a file in turn."""

import itertools
import sys

import uvloop
from websockets.asyncio.server import broadcast, serve

with open(sys.argv[1]) as lines:
    TEXTS = itertools.cycle(lines.read().splitlines())


async def main():
    async def received(connection):
        async for message in connection:
            if message.startswith("go"):
                broadcast(server.connections, next(TEXTS))
                await connection.send("ok")

    async with serve(received, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


uvloop.run(main())
