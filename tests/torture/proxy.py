"""A bad network: a proxy that delays, splits to single bytes, stalls, and cuts in the middle of frames.

What passes is right and in order, as TCP promises; when and in which pieces is up to chance.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from random import Random

CHUNK_BYTES = 2048
SLOW = 0.3
"""Share of connections that are slow all the time."""
SLOW_BYTES_PER_S = 2500

BUFFER_BYTES = 2048
"""Of the socket to the server: so that a stall here is soon felt there."""
SINGLE_BYTES_MAX = 40
"""Of a chunk that is split, how many go one by one."""


class BadNetwork:
    """Everything that passes between clients and one server."""

    def __init__(self, random: Random, server_port: int) -> None:
        self._random = random
        self._server_port = server_port
        self.is_calm = False
        """Set: no more stalls and cuts."""
        self.done: Counter[str] = Counter()
        """What was done to connections."""

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Pass everything on that comes to the port given, while the context lasts."""
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        upstream = socket.socket()
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        upstream.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(upstream, ("127.0.0.1", self._server_port))
            from_server, to_server = await asyncio.open_connection(
                sock=upstream, limit=BUFFER_BYTES
            )
            writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
            budget = self._random.randint(300, 60_000)
            both = (
                asyncio.create_task(self._pass_on(reader, to_server, 1 << 40)),
                asyncio.create_task(self._pass_on(from_server, writer, budget)),
            )
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in both:
                    each.cancel()
                await asyncio.gather(*both, return_exceptions=True)
                to_server.transport.abort()
        finally:
            upstream.close()
            writer.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int
    ) -> None:
        """Until either side ends, or `budget` bytes have passed in a network that is not calm."""
        random = self._random
        is_slow = random.random() < SLOW
        while chunk := await reader.read(random.randint(1, CHUNK_BYTES)):
            kind = random.random()
            if is_slow and not self.is_calm:
                await asyncio.sleep(len(chunk) / SLOW_BYTES_PER_S)
                self.done["slowed"] += 1
            elif kind < 0.10:
                await asyncio.sleep(random.uniform(0.001, 0.05))
                self.done["delayed"] += 1
            elif kind < 0.13 and not self.is_calm:
                await asyncio.sleep(random.uniform(0.2, 1.5))
                self.done["stalled"] += 1
            elif kind < 0.25:
                self.done["split to bytes"] += 1
                for at in range(min(len(chunk), SINGLE_BYTES_MAX)):
                    writer.write(chunk[at : at + 1])
                    await asyncio.sleep(0)
                chunk = chunk[SINGLE_BYTES_MAX:]
            budget -= len(chunk)
            if budget < 0 and not self.is_calm:
                writer.write(chunk[: len(chunk) // 2])
                self.done["cut"] += 1
                return
            writer.write(chunk)
            await writer.drain()
