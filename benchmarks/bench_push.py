"""How long from an order to its push, at 1, 100 and 1,000 readers of the book?

Each order is sent alone, more than the book's interval after the one before, so that its push is
due at once. Times run from the order's first byte to the push at the first and at the last reader,
client included: that is one process on the other core, reading with picows.
"""

import asyncio
import time

import msgspec
import picows
import uvloop

from benchmarks.running import limit_order, machine, percentile, pin_load, served

READERS = (1, 100, 1000)
ORDERS = 60
PAUSE_S = 0.13
SUBSCRIBE = b'{"event":"orderbook","message":{"category":"spot","symbol":"BTCUSDT","precise":"1"}}'


class Seq(msgspec.Struct):
    """What matters of a push."""

    seq: int


class Reader(picows.WSListener):
    """Remembers when the newest push came."""

    def __init__(self) -> None:
        self.seq = 0
        self.at_s = 0.0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        transport.send(picows.WSMsgType.TEXT, SUBSCRIBE)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.at_s = time.perf_counter()
            self.seq = msgspec.json.decode(frame.get_payload_as_memoryview(), type=Seq).seq


async def measure(port: int, count: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds to the answer, to the first reader's push and to the last one's, of each order."""
    readers: list[Reader] = []
    for _ in range(count):
        _, reader = await picows.ws_connect(Reader, f"ws://127.0.0.1:{port}/")
        assert isinstance(reader, Reader)
        readers.append(reader)
    stream, writer = await asyncio.open_connection("127.0.0.1", port)
    answers, firsts, lasts = [], [], []
    for number in range(ORDERS):
        await asyncio.sleep(PAUSE_S)
        request = limit_order("BUY", 1, 5_000_000 + number)
        began_s = time.perf_counter()
        writer.write(request)
        head = await stream.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        seq = msgspec.json.decode(await stream.readexactly(length), type=Seq).seq
        answers.append(time.perf_counter() - began_s)
        while any(reader.seq < seq for reader in readers):
            await asyncio.sleep(0.001)
        times = [reader.at_s - began_s for reader in readers]
        firsts.append(min(times))
        lasts.append(max(times))
    writer.close()
    return answers, firsts, lasts


def main() -> None:
    """Measure and print."""
    print(f"Order over REST to push of the book, journal on SQLite; {machine()}")
    print("milliseconds, p50 / p99")
    print(f"{'readers':>7} {'answer':>15} {'first reader':>15} {'last reader':>15}")
    for count in READERS:
        with served() as port:
            pin_load()
            columns = uvloop.run(measure(port, count))
        texts = [
            f"{percentile(times, 50) * 1000:.2f} / {percentile(times, 99) * 1000:.2f}"
            for times in columns
        ]
        print(f"{count:>7} {texts[0]:>15} {texts[1]:>15} {texts[2]:>15}")


if __name__ == "__main__":
    main()
