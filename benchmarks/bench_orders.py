"""How many signed orders a second over REST, durable before they are answered?

The limit to compare with is the same HTTP stack (uvicorn, httptools, Starlette) that answers a
POST with a fixed text: what is missing to it is reading, signing, deciding, and the disk.
"""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Callable, Iterator

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.running import limit_order, machine, percentile, pin_load, served

ROUNDS = 3
SECONDS = 3.0
CLIENTS = (1, 16, 64)


async def client(port: int, make: Callable[[], bytes], until_s: float) -> list[float]:
    """One keep-alive connection, one order after the other; gives the answer times in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    while time.perf_counter() < until_s:
        request = make()
        began_s = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        times.append(time.perf_counter() - began_s)
        assert b" 200 " in head, body
    writer.close()
    return times


async def load(port: int, make: Callable[[], bytes], clients: int) -> tuple[float, list[float]]:
    """Orders a second, and all answer times."""
    began_s = time.perf_counter()
    until_s = began_s + SECONDS
    times = await asyncio.gather(*(client(port, make, until_s) for _ in range(clients)))
    together = [each for one in times for each in one]
    return len(together) / (time.perf_counter() - began_s), together


def maker() -> Callable[[], bytes]:
    """Passive limits, each far enough from the others' side to rest."""
    count = 0

    def make() -> bytes:
        nonlocal count
        count += 1
        return limit_order("BUY", 1, 5_000_000 + count % 1000)

    return make


@contextlib.contextmanager
def fixed_answers() -> Iterator[int]:
    """The HTTP stack alone; gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=_serve_fixed, args=(listening,))
    process.start()
    assert process.pid is not None
    os.sched_setaffinity(process.pid, {0})
    try:
        yield listening.getsockname()[1]
    finally:
        process.terminate()
        process.join()


def _serve_fixed(listening: socket.socket) -> None:
    async def place(request: Request) -> Response:
        await request.body()
        return Response(b'{"code":"OK"}', media_type="application/json")

    app = Starlette(routes=[Route("/api/v1/trader/order", place, methods=["POST"])])
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="error")
    uvicorn.Server(config).run(sockets=[listening])


def main() -> None:
    """Measure and print."""
    print(f"Signed LIMIT orders over REST, journal on SQLite; {machine()}")
    print(
        f"{'clients':>7}  {'':<12} {'orders/s':>9} {'p50 ms':>7} {'p99 ms':>7} {'of the limit':>12}"
    )
    with fixed_answers() as fixed, served() as venue:
        pin_load()
        time.sleep(1)
        for clients in CLIENTS:
            rows: dict[str, list[tuple[float, list[float]]]] = {"limit": [], "jayx-stream": []}
            for _ in range(ROUNDS):
                for name, port in (("limit", fixed), ("jayx-stream", venue)):
                    rows[name].append(uvloop.run(load(port, maker(), clients)))
            limit = statistics.median(rate for rate, _ in rows["limit"])
            for name, rounds in rows.items():
                rate = statistics.median(rate for rate, _ in rounds)
                times = [each * 1000 for _, one in rounds for each in one]
                print(
                    f"{clients:>7}  {name:<12} {rate:>9,.0f} {percentile(times, 50):>7.2f}"
                    f" {percentile(times, 99):>7.2f} {rate / limit:>11.2f}x"
                )


if __name__ == "__main__":
    main()
