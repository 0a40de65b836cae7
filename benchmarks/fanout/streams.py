"""Very many streams: a venue of many symbols, readers who each take some streams by chance, and the peers.

Streams are numbered: those of symbol S begin at S * KINDS, its klines by interval and last its book.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from websockets.sync.client import ClientConnection, connect

from benchmarks.fanout.building import BUILT, HERE, python
from benchmarks.fanout.servers import LOAD_CORE, SOCKETIO, _login, _process
from jayx_stream.model.views import INTERVALS_S

SYMBOLS = 200
KINDS = len(INTERVALS_S) + 1
STREAMS_PER_READER = 20
LEVELS = 10
"""Of each half of a book."""
TRADES = 50
SEED = 20240519
ASK_TICKS = 6_000_001
ORDERS_AT_ONCE = 100
"""In a frame, while the market is made."""
GOES = 4_000
"""After which the conductor begins again."""
HELLO = ("40", "%2")
"""Of Socket.IO: its server wants nothing else before it has answered."""
_HEAD = """\
[log]
level = "warning"

[streams]
orderbook_interval_ms = {book_ms}
kline_interval_ms = {kline_ms}

[limits]
orders_per_s = 0
requests_per_s = 0
connections_per_address = 0
http_requests_per_s = 0
open_orders_per_account = 0
ping_after_s = 0

[admin]
port = 0
"""
_ACCOUNT = """
[[accounts]]
name = "{name}"
deposits = {{ {deposits} }}

[[accounts.keys]]
api_key = "{name}-key"
secret = "{name}-secret"
permissions = ["read", "trade"]
"""
_INSTRUMENT = """
[[instruments]]
symbol = "{base}USDT"
base = "{base}"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"
"""

Streams = tuple[int, ...]


@dataclass(frozen=True)
class Spoken:
    """A server, and what is said to it."""

    pid: int
    port: int
    path: str
    readers: tuple[tuple[str, ...], ...]
    conductor: Callable[[], tuple[str, ...]]
    """Made anew for each run: a signature is good once."""
    answer: str
    goes: tuple[str, ...]


@dataclass(frozen=True)
class Spread:
    """What a server did in the time of a run, without connects and subscriptions."""

    orders_per_s: float
    deliveries_per_s: float
    push_bytes: float
    cpu_us: float
    """Of all its threads, for one delivery."""
    cpu_share: float
    """Of one core."""
    reads_per_s: float
    """Of all clients, that gave them anything: what was written in one go mostly is read so."""


def chosen(readers: int) -> list[Streams]:
    """Which streams each reader takes."""
    random = Random(SEED)
    return [
        tuple(random.sample(range(SYMBOLS * KINDS), STREAMS_PER_READER)) for _ in range(readers)
    ]


def _symbols_gone() -> list[int]:
    random = Random(SEED + 1)
    return [random.randrange(SYMBOLS) for _ in range(GOES)]


def _base(symbol: int) -> str:
    return f"C{symbol:03}"


def readers_command(
    folder: Path, spoken: Spoken, count: int, seconds: float, *, window: int, pause_us: int
) -> list[str]:
    """Runs `count` readers, with what they say put into files in `folder`; see streams.c."""
    readers = "\n".join(line for said in spoken.readers for line in (*said, "%"))
    conductor = "\n".join((*spoken.conductor(), "%"))
    texts = (readers, conductor, "\n".join((spoken.answer, *spoken.goes)))
    files = [folder / name for name in ("readers", "conductor", "goes")]
    for path, text in zip(files, texts, strict=True):
        path.write_text(text)
    numbers = (spoken.pid, spoken.port, count, seconds, window, pause_us)
    program = ("taskset", "-c", str(LOAD_CORE), str(BUILT / "streams"))
    return [*program, *map(str, numbers), spoken.path, *map(str, files)]


def spread(spoken: Spoken, seconds: float, *, window: int, pause_us: int = 0) -> Spread:
    """Let the readers read for so long, with `window` goes under way at once and `pause_us` between two."""
    count = len(spoken.readers)
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            readers_command(Path(folder), spoken, count, seconds, window=window, pause_us=pause_us),
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
    if ended.returncode:
        raise RuntimeError(f"the load ended: {ended.stderr}")
    told = json.loads(ended.stdout)
    pushes = max(1, told["pushes"])
    return Spread(
        orders_per_s=told["goes"] / told["seconds"],
        deliveries_per_s=told["pushes"] / told["seconds"],
        push_bytes=told["bytes"] / pushes,
        cpu_us=told["cpu_s"] * 1e6 / pushes,
        cpu_share=told["cpu_s"] / told["seconds"],
        reads_per_s=told["reads"] / told["seconds"],
    )


@contextlib.contextmanager
def peer(name: str, streams: Sequence[Streams], sizes: tuple[int, int]) -> Iterator[Spoken]:
    """One of PEERS; `sizes` are those of a kline's and of a book's text in bytes."""
    command, is_socketio = PEERS[name]
    node = (str(BUILT / "node"),) if command[0] == "node" else ()
    with _process([*command, *map(str, sizes), *node]) as (process, line):
        if is_socketio:
            readers = tuple((*HELLO, f'42["sub",{json.dumps(each)}]') for each in streams)
            goes = tuple(f'42["go",{symbol}]' for symbol in _symbols_gone())
            yield Spoken(process.pid, int(line), SOCKETIO, readers, lambda: HELLO, '42["ok"', goes)
        else:
            readers_said = tuple((f"sub {' '.join(map(str, each))}",) for each in streams)
            goes = tuple(f"go {symbol}" for symbol in _symbols_gone())
            yield Spoken(process.pid, int(line), "/", readers_said, tuple, "ok", goes)


PEERS: dict[str, tuple[tuple[str, ...], bool]] = {
    "uWebSockets": ((str(python()), str(HERE / "peers" / "streams_uws.py")), False),
    "Node ws": (("node", str(HERE / "peers" / "streams_ws.mjs")), False),
    "Node socket.io": (("node", str(HERE / "peers" / "streams_socketio.mjs")), True),
}


@dataclass(frozen=True)
class Venue:
    """Ours, running, with its market made."""

    pid: int
    port: int

    def sizes(self) -> tuple[int, int]:
        """Bytes of a kline's and of a book's push."""
        with _connected(self.port) as client:
            sizes = []
            for event, message in (_stream(0), _stream(KINDS - 1)):
                client.send(_request(event, message))
                sizes.append(len(client.recv()))
        return sizes[0], sizes[1]

    def spoken(self, streams: Sequence[Streams], *, socketio: bool) -> Spoken:
        """What is said at one of its doors: a raw reader subscribes in one frame, as it can."""
        login = _login_of("conductor")
        orders = [_buy(symbol) for symbol in _symbols_gone()]
        if socketio:
            readers = tuple(
                (*HELLO, *(f"42{json.dumps(_stream(number))}" for number in each))
                for each in streams
            )
            goes = tuple(f"427{json.dumps(['order', order])}" for order in orders)
            return Spoken(
                self.pid,
                self.port,
                SOCKETIO,
                readers,
                lambda: (*HELLO, f"42{json.dumps(['login', login()])}"),
                "43",
                goes,
            )
        return Spoken(
            self.pid,
            self.port,
            "/",
            tuple(
                ("[" + ",".join(_request(*_stream(number)) for number in each) + "]",)
                for each in streams
            ),
            lambda: (_request("login", login()),),
            '{"event":"ack"',
            tuple(_request("order", order, 7) for order in orders),
        )


@contextlib.contextmanager
def ours(*, kline_ms: int, book_ms: int) -> Iterator[Venue]:
    """The command, with a journal on the disk, and a book and trades of each symbol."""
    bases = ", ".join(f'{_base(symbol)} = "1000000"' for symbol in range(SYMBOLS))
    text = _HEAD.format(kline_ms=kline_ms, book_ms=book_ms)
    text += "".join(_INSTRUMENT.format(base=_base(symbol)) for symbol in range(SYMBOLS))
    text += _ACCOUNT.format(name="maker", deposits=f'USDT = "1000000000", {bases}')
    text += _ACCOUNT.format(name="conductor", deposits='USDT = "1000000000"')
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "venue.toml"
        config.write_text(text)
        words = [sys.executable, "-m", "jayx_stream", "serve", "--config", str(config)]
        words += ["--port", "0", "--data-dir", f"{folder}/data"]
        with _process(words) as (process, line):
            match = re.search(r"ws://127\.0\.0\.1:(\d+)/", line)
            assert match is not None, line
            _make_market(int(match[1]))
            yield Venue(process.pid, int(match[1]))


def _stream(number: int) -> tuple[str, dict[str, object]]:
    """Event and message that subscribe to a stream."""
    symbol, kind = divmod(number, KINDS)
    message: dict[str, object] = {"category": "spot", "symbol": f"{_base(symbol)}USDT"}
    if kind == KINDS - 1:
        return "orderbook", message | {"precise": "1", "depth": LEVELS}
    return "kline", message | {"interval": str(INTERVALS_S[kind])}


def _request(event: str, message: dict[str, object], id: int | None = None) -> str:
    return json.dumps({"event": event, "message": message, **({} if id is None else {"id": id})})


def _login_of(name: str) -> Callable[[], dict[str, object]]:
    return lambda: _login(f"{name}-key", f"{name}-secret")


def _buy(symbol: int) -> dict[str, object]:
    order: dict[str, object] = {"symbol": f"{_base(symbol)}USDT", "side": "BUY", "type": "IOC"}
    return order | {"lots": 1, "ticks": ASK_TICKS}


def _connected(port: int) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{port}/", proxy=None, max_size=None)


def _make_market(port: int) -> None:
    """Both sides of each book, with a best ask deeper than any run is long, and a full list of trades."""
    rest: list[dict[str, object]] = [
        {
            "symbol": f"{_base(symbol)}USDT",
            "side": side,
            "type": "LIMIT",
            "lots": 10_000_000_000 if (sign, distance) == (1, 1) else 100_000 + distance * 997,
            "ticks": ASK_TICKS - 1 + sign * distance,
        }
        for symbol in range(SYMBOLS)
        for side, sign in (("BUY", -1), ("SELL", 1))
        for distance in range(1, LEVELS + 1)
    ]
    take = [_buy(symbol) for symbol in range(SYMBOLS) for _ in range(TRADES)]
    for name, orders in (("maker", rest), ("conductor", take)):
        with _connected(port) as client:
            client.send(_request("login", _login_of(name)(), 0))
            assert json.loads(client.recv())["event"] == "ack"
            for first in range(0, len(orders), ORDERS_AT_ONCE):
                batch = orders[first : first + ORDERS_AT_ONCE]
                client.send("[" + ",".join(_request("order", order, 1) for order in batch) + "]")
                for _ in batch:
                    answer = json.loads(client.recv())
                    assert answer["event"] == "ack", answer
