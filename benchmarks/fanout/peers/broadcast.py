"""`websockets` on uvloop: its own `broadcast`."""

import sys

import uvloop
from websockets.asyncio.server import broadcast, serve

TEXT = "x" * int(sys.argv[1])


async def main():
    async def received(connection):
        async for message in connection:
            if message.startswith("go"):
                broadcast(server.connections, TEXT)
                await connection.send("ok")

    async with serve(received, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


uvloop.run(main())
