"""Orders over REST and over the stream: how many a second, and how long until one is answered?

Each is durable before it is answered. REST signs every order; a stream signs its login. Pipelined: so
many of a connection's orders are under way at once, and each answer sends the next one.
"""

import asyncio
import statistics
import time
from base64 import b64encode
from hmac import digest
from typing import Any, NamedTuple, cast

import uvloop
from websockets.frames import Frame, Opcode

from benchmarks.bench_orders import client as rest_client
from benchmarks.bench_orders import maker
from benchmarks.running import KEY, SECRET, machine, order_text, percentile, pin_load, served

ROUNDS = 3
SECONDS = 3.0

ACK = b'{"event":"ack","id":'


class Way(NamedTuple):
    """How orders come."""

    name: str
    connections: int
    under_way: int
    """Per connection; 0: over REST, one after the other."""


WAYS = (
    Way("REST", 1, 0),
    Way("stream", 1, 1),
    Way("stream, pipelined", 1, 64),
    Way("REST", 16, 0),
    Way("stream", 16, 1),
    Way("stream, pipelined", 16, 16),
)


class StreamClient(asyncio.Protocol):
    """One connection: it shakes hands, logs in, and keeps so many orders under way until the end."""

    def __init__(self, under_way: int, until_s: float) -> None:
        self._under_way = under_way
        self._until_s = until_s
        self._received = b""
        self._is_upgraded = False
        self._last_id = 0
        self._sent_s: dict[int, float] = {}
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_upgraded:
            head, end, self._received = self._received.partition(b"\r\n\r\n")
            if not end:
                self._received = head
                return
            assert head.startswith(b"HTTP/1.1 101 "), head
            self._is_upgraded = True
            self._transport.write(_login())
        now_s, answers = time.perf_counter(), 0
        for text in self._texts():
            answers += 1
            assert text.startswith(ACK), text
            request_id = int(text[len(ACK) : text.index(b",", len(ACK))])
            if request_id:
                self.times.append(now_s - self._sent_s.pop(request_id))
            else:
                answers = self._under_way
        if answers and now_s < self._until_s:
            self._transport.write(b"".join(self._order() for _ in range(answers)))
        elif answers and not self._sent_s:
            self.done.set_result(None)
            self._transport.close()

    def _texts(self) -> list[bytes]:
        """The payloads of the frames that are complete."""
        received, at, texts = self._received, 0, []
        while len(received) >= at + 4:
            size, begin = received[at + 1], at + 2
            if size == 126:
                size, begin = int.from_bytes(received[at + 2 : at + 4], "big"), at + 4
            if len(received) < begin + size:
                break
            texts.append(received[begin : begin + size])
            at = begin + size
        self._received = received[at:]
        return texts

    def _order(self) -> bytes:
        self._last_id += 1
        order = order_text("BUY", 1, 5_000_000 + self._last_id % 1000)
        text = f'{{"event":"order","message":{order},"id":{self._last_id}}}'.encode()
        self._sent_s[self._last_id] = time.perf_counter()
        # A mask of zeros leaves the text as it is.
        return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text


def _login() -> bytes:
    timestamp = time.time_ns() // 1_000_000
    # Logins of one millisecond would have one signature: each takes a millisecond of its own.
    time.sleep(0.001)
    sign = b64encode(digest(SECRET.encode(), f"{timestamp}GET/stream/login".encode(), "sha256"))
    message = f'{{"apiKey":"{KEY}","timestamp":{timestamp},"sign":"{sign.decode()}"}}'
    text = f'{{"event":"login","message":{message},"id":0}}'.encode()
    return Frame(Opcode.TEXT, text).serialize(mask=True)


async def stream_client(port: int, under_way: int, until_s: float) -> list[float]:
    """The answer times of one connection's orders, in seconds."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: StreamClient(under_way, until_s), "127.0.0.1", port
    )
    await client.done
    return client.times


async def load(port: int, way: Way) -> tuple[float, list[float]]:
    """Orders a second, and all answer times."""
    began_s = time.perf_counter()
    until_s = began_s + SECONDS
    clients: list[Any] = [
        stream_client(port, way.under_way, until_s)
        if way.under_way
        else rest_client(port, maker(), until_s)
        for _ in range(way.connections)
    ]
    times = await asyncio.gather(*clients)
    together = [each for one in times for each in one]
    return len(together) / (time.perf_counter() - began_s), together


def main() -> None:
    """Measure and print."""
    print(f"LIMIT orders, journal on SQLite, each durable before its answer; {machine()}")
    rounds: dict[Way, list[tuple[float, list[float]]]] = {way: [] for way in WAYS}
    with served() as port:
        pin_load()
        time.sleep(1)
        for _ in range(ROUNDS):
            for way in WAYS:
                rounds[way].append(uvloop.run(load(port, way)))
    print(
        f"{'':<18} {'connections':>11} {'under way':>9} {'orders/s':>9} {'p50 ms':>7} {'p99 ms':>7}"
        f" {'of REST':>8}"
    )
    rates = {way: statistics.median(rate for rate, _ in rounds[way]) for way in WAYS}
    for way in WAYS:
        times = [each * 1000 for _, one in rounds[way] for each in one]
        rest = next(
            rates[each]
            for each in WAYS
            if not each.under_way and each.connections == way.connections
        )
        print(
            f"{way.name:<18} {way.connections:>11} {max(way.under_way, 1):>9} {rates[way]:>9,.0f}"
            f" {percentile(times, 50):>7.2f} {percentile(times, 99):>7.2f} {rates[way] / rest:>7.2f}x"
        )


if __name__ == "__main__":
    main()
