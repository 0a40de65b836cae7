"""`websockets` on uvloop: its own `broadcast`."""

import ssl
import sys

import uvloop
from websockets.asyncio.server import broadcast, serve

SIZE, *FILES = sys.argv[1:]
TEXT = "x" * int(SIZE)


async def main():
    async def received(connection):
        async for message in connection:
            if message.startswith("go"):
                broadcast(server.connections, TEXT)
            await connection.send("ok")

    context = None
    if FILES:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*FILES)
    async with serve(
        received, "127.0.0.1", 0, compression=None, ssl=context, backlog=4096
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


uvloop.run(main())
