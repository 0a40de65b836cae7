"""Books as they follow one another: what drives ours in the benchmark of compression, and what ours told
then, for peers to compress.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from websockets.sync.client import connect

from benchmarks.fanout.building import BUILT, HERE, python
from benchmarks.fanout.servers import Resting, Served, _process

OFFER = "permessage-deflate; client_max_window_bits"
"""As browsers make it."""
GOES = 200
ORDERS = 5
"""With each go, in one frame."""
MID_TICKS = 6_000_000
LEVELS = 60
"""Of each half; those nearer to the middle change, of which readers see 20."""
CHANGING = 25
DEEP_LOTS = 9_000_000_000
"""At the best prices: more than any benchmark trades."""

PEERS: dict[str, tuple[str, ...]] = {
    "uWebSockets, shared compressor": (str(python()), str(HERE / "peers/deflate_uws.py"), "shared"),
    "uWebSockets, dedicated, 4 KB": (
        str(python()),
        str(HERE / "peers/deflate_uws.py"),
        "dedicated",
    ),
    "websockets": (str(python()), str(HERE / "peers/deflate_websockets.py")),
    "Node ws": ("node", str(HERE / "peers/deflate_ws.mjs"), str(BUILT / "node")),
}


def _book() -> list[Resting]:
    """Levels some ticks apart, of very different sizes."""
    chance = Random(3)
    book: list[Resting] = []
    for side, sign in (("BUY", -1), ("SELL", 1)):
        distance, lots = 1, DEEP_LOTS
        for _ in range(LEVELS):
            book.append((side, MID_TICKS + sign * distance, lots))
            distance, lots = distance + chance.randint(1, 40), _lots(chance)
    return book


def _lots(chance: Random) -> int:
    """Of hundreds up to millions, as likely one as the other."""
    return int(10 ** chance.uniform(2, 6.7))


BOOK = _book()
"""What rests at the beginning."""


def goes() -> tuple[str, ...]:
    """Each a frame of orders: three that rest, somewhere, and two that trade."""
    chance = Random(7)
    return tuple(json.dumps(_orders(chance)) for _ in range(GOES))


def _orders(chance: Random) -> list[dict[str, object]]:
    orders: list[dict[str, object]] = [
        {"side": "BUY", "type": "IOC", "lots": _lots(chance) // 10, "ticks": MID_TICKS + 1},
        {"side": "SELL", "type": "IOC", "lots": _lots(chance) // 10, "ticks": MID_TICKS - 1},
    ]
    for _ in range(ORDERS - len(orders)):
        side, ticks, _ = chance.choice(BOOK[1:CHANGING] + BOOK[LEVELS + 1 : LEVELS + CHANGING])
        orders.append({"side": side, "type": "LIMIT", "lots": _lots(chance), "ticks": ticks})
    chance.shuffle(orders)
    return [
        {"event": "order", "message": {"symbol": "BTCUSDT", **order}, "id": number}
        for number, order in enumerate(orders)
    ]


def driven(served: Served, **more: object) -> Served:
    """Ours with these goes; `more` is asked of the book."""
    [line] = served.reader
    request = json.loads(line)
    request["message"] |= more
    return replace(served, reader=(json.dumps(request),), go=goes(), answers=ORDERS)


def record(served: Served) -> list[str]:
    """What a reader of ours is told, the last after each go."""
    address = f"ws://127.0.0.1:{served.port}/"
    texts = []
    with (
        connect(address, proxy=None, compression=None) as reader,
        connect(address, proxy=None, compression=None) as conductor,
    ):
        reader.send(served.reader[0])
        reader.recv()
        for line in served.conductor():
            conductor.send(line)
        for go in served.go:
            conductor.send(go)
            answers = [json.loads(conductor.recv()) for _ in range(ORDERS)]
            assert {each["event"] for each in answers} == {"ack"}, answers
            newest = max(each["message"]["seq"] for each in answers)
            text = str(reader.recv())
            while json.loads(text)["seq"] < newest:
                text = str(reader.recv())
            texts.append(text)
    return texts


@contextlib.contextmanager
def peer(name: str, texts: Path) -> Iterator[Served]:
    """One of PEERS, with its own compression; it spreads the lines of a file in turn."""
    with _process([*PEERS[name], str(texts)]) as (process, line):
        yield Served(process.pid, int(line), "/", (), tuple, "ok", ("go",), least=20, offer=OFFER)
