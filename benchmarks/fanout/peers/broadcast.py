"""`websockets` on uvloop: its own `broadcast`."""

import ssl
import sys
import time

import uvloop
from websockets.asyncio.server import broadcast, serve

SIZE, *FILES = sys.argv[1:]
PAD = "x" * (int(SIZE) - 21)


async def main():
    async def received(connection):
        async for message in connection:
            if message.startswith("go"):
                text = f'{PAD}"ts":{time.monotonic_ns() // 1000:016}'
                broadcast(server.connections, text)
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
