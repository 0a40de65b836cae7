"""The servers: ours, as it is, with a real market behind it, and our peers with a loop made for this."""

import contextlib
import hmac
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from websockets.sync.client import ClientConnection, connect

from benchmarks.fanout.building import BUILT, HERE, python
from benchmarks.running import MARKET, UNLIMITED, account, started
from jayx_stream.app.tls_dev import dev_certificate

SERVER_CORE, LOAD_CORE = 0, 1
MEMORY = "/dev/shm"
"""Where journals are kept here, so that no slow moment of a disk is taken for one of the fan-out."""
SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
KEY, SECRET = "conductor-key", "conductor-secret"
LEVELS = 60
"""Of each half of the book."""
Resting = tuple[str, int, int]
"""Side, ticks, and lots of an order."""
TAKING = {"symbol": "BTCUSDT", "side": "BUY", "type": "IOC", "lots": 1, "ticks": 6_000_001}
MAKER_KEY, MAKER_SECRET = "maker-key", "maker-secret"
CONFIG = f"""\
[log]
level = "warning"

[streams]
deflate = {{deflate}}
orderbook_interval_ms = {{interval_ms}}
kline_interval_ms = {{interval_ms}}

{UNLIMITED}ping_after_s = {{ping_after_s}}
{MARKET}"""
ACCOUNTS = account("maker", MAKER_KEY, MAKER_SECRET) + account("conductor", KEY, SECRET)


@dataclass(frozen=True)
class Served:
    """A server that is ready, and what its readers and its conductor say."""

    pid: int
    port: int
    path: str
    reader: tuple[str, ...]
    conductor: Callable[[], tuple[str, ...]]
    """Made anew for each run: a signature is good once."""
    answer: str
    """What an answer to the conductor begins with."""
    go: tuple[str, ...]
    least: int = 150
    """Bytes of a text that is a push."""
    tls: bool = False
    stamped: bool = False
    """Whether its pushes say when they were made."""
    answers: int = 1
    """To each go."""
    merges: bool = False
    """Whether a push stands for all that changed before it."""
    offer: str = ""
    """Of extensions, that readers make."""

    def cpu_s(self) -> float:
        """That the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self) -> int:
        """That the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+)", status)
        assert match is not None
        return int(match[1])


@contextlib.contextmanager
def peer(name: str, size: int, *more: str, tls: bool = False) -> Iterator[Served]:
    """One of PEERS, which spreads texts of `size` bytes; with `tls` one of SECURE_PEERS. `more`: what else
    its program is told.
    """
    command, is_socketio = PEERS[name]
    words = [*command, str(size), *more]
    if command[0] == "node":
        words.append(str(BUILT / "node"))
    if tls:
        certificate = dev_certificate(BUILT, "127.0.0.1")
        words += [str(certificate.cert), str(certificate.key)]
    with _process(words) as (process, line):
        go, answer = ('42["go"]', '42["ok"') if is_socketio else ("go", "ok")
        hello: tuple[str, ...] = ("40",) if is_socketio else ()
        path = SOCKETIO if is_socketio else "/"
        yield Served(process.pid, int(line), path, hello, lambda: hello, answer, (go,), tls=tls)


PEERS: dict[str, tuple[tuple[str, ...], bool]] = {
    "C send loop": ((str(BUILT / "limit"),), False),
    "uWebSockets": ((str(python()), str(HERE / "peers" / "uws.py")), False),
    "picows": ((str(python()), str(HERE / "peers" / "pico.py")), False),
    "Node ws": (("node", str(HERE / "peers" / "ws.mjs")), False),
    "websockets.broadcast": ((str(python()), str(HERE / "peers" / "broadcast.py")), False),
    "Node socket.io": (("node", str(HERE / "peers" / "socketio.mjs")), True),
    "python-socketio": ((str(python()), str(HERE / "peers" / "psio.py")), True),
}
SECURE_PEERS = ("Node ws", "websockets.broadcast")
"""Those whose program takes a certificate."""


@contextlib.contextmanager
def ours(
    event: str,
    *,
    socketio: bool = False,
    depth: int = 20,
    tls: bool = False,
    interval_ms: int = 0,
    ping_after_s: int = 0,
    deflate: bool = False,
    resting: Sequence[Resting] | None = None,
    changes: Mapping[str, str] = MappingProxyType({}),
    source: Path | None = None,
) -> Iterator[Served]:
    """The command, with a journal in memory, a book of `LEVELS` levels a side, and one lot bought with
    each go: a push of `kline` or `orderbook` follows from it. `interval_ms`: between two pushes of one.
    `changes`: what stands in place of other texts in its configuration. `source`: where the package is
    taken from, if not from here.
    """
    settings = {"interval_ms": interval_ms, "ping_after_s": ping_after_s}
    text = CONFIG.format(**settings, deflate=str(deflate).lower()) + ACCOUNTS
    for old, new in changes.items():
        assert old in text, f"the configuration does not say {old}"
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        config = Path(folder) / "venue.toml"
        config.write_text(text)
        words = [sys.executable, "-m", "jayx_stream", "serve", "--config", str(config)]
        words += ["--port", "0", "--data-dir", f"{folder}/data", *(["--tls-dev"] if tls else [])]
        with _process(words, source) as (process, line):
            match = re.search(r"wss?://[\d.]+:(\d+)/", line)
            assert match is not None, line
            port = int(match[1])
            _make_market(port, tls, resting or even_book())
            yield _spoken(process.pid, port, event, socketio, depth, tls)


@contextlib.contextmanager
def ours_in_process(source: Path | None = None, busy_poll_ms: int = 0) -> Iterator[Served]:
    """Hub and doors alone, of `peers/inprocess.py`: a kline is pushed with each go; see `ours`."""
    words = [sys.executable, str(HERE / "peers" / "inprocess.py"), str(busy_poll_ms)]
    with _process(words, source) as (process, line):
        served = _spoken(process.pid, int(line), "kline", False, 0, False)
        yield replace(served, conductor=tuple, answer="-", go=("go",))


def _request(event: str, message: dict[str, object], id: int | None = None) -> str:
    return json.dumps({"event": event, "message": message, **({} if id is None else {"id": id})})


def _emitted(event: str, message: dict[str, object], id: int | None = None) -> str:
    return f"42{'' if id is None else id}{json.dumps([event, message])}"


def _spoken(pid: int, port: int, event: str, socketio: bool, depth: int, tls: bool) -> Served:
    message: dict[str, object] = {"category": "spot", "symbol": "BTCUSDT"}
    message |= {"interval": "60"} if event == "kline" else {"precise": "1", "depth": depth}
    order: dict[str, object] = dict(TAKING)
    say, hello = (_emitted, ("40",)) if socketio else (_request, ())
    path, answer = (SOCKETIO, "43") if socketio else ("/", '{"event":"ack"')

    def login() -> tuple[str, ...]:
        return (*hello, say("login", _login(KEY, SECRET)))

    reader = (*hello, say(event, message))
    go = (say("order", order, 7),)
    return Served(pid, port, path, reader, login, answer, go, tls=tls, stamped=True, merges=True)


def _login(key: str, secret: str) -> dict[str, object]:
    timestamp = str(int(time.time() * 1000))
    text = f"{timestamp}GET/stream/login".encode()
    sign = b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
    return {"apiKey": key, "timestamp": timestamp, "sign": sign, "recvWindow": 60_000}


def _connect(port: int, tls: bool) -> ClientConnection:
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    scheme = "wss" if tls else "ws"
    return connect(f"{scheme}://127.0.0.1:{port}/", ssl=context, proxy=None)


def even_book() -> list[Resting]:
    """Levels on both sides, the best ask as deep as any benchmark is long."""
    return [
        (side, 6_000_000 + sign * distance, lots)
        for side, sign in (("BUY", -1), ("SELL", 1))
        for distance in range(1, LEVELS + 1)
        for lots in [
            10_000_000_000 if (side, distance) == ("SELL", 1) else 100_000 + distance * 997
        ]
    ]


def _make_market(port: int, tls: bool, resting: Sequence[Resting]) -> None:
    """A book, and a full list of trades."""
    orders = [
        {"side": side, "type": "LIMIT", "lots": lots, "ticks": ticks}
        for side, ticks, lots in resting
    ]
    with _connect(port, tls) as client:
        client.send(
            json.dumps({"event": "login", "message": _login(MAKER_KEY, MAKER_SECRET), "id": 0})
        )
        for number, order in enumerate(orders, start=1):
            message = {"symbol": "BTCUSDT", **order}
            client.send(json.dumps({"event": "order", "message": message, "id": number}))
        for _ in range(len(orders) + 1):
            answer = json.loads(client.recv())
            assert answer["event"] == "ack", answer
    with _connect(port, tls) as client:
        client.send(json.dumps({"event": "login", "message": _login(KEY, SECRET), "id": 0}))
        for number in range(60):
            client.send(json.dumps({"event": "order", "message": TAKING, "id": number}))
        for _ in range(61):
            assert json.loads(client.recv())["event"] == "ack"


@contextlib.contextmanager
def _process(
    words: list[str], source: Path | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process on the server's core, once it has said where it listens; ended afterwards."""
    pinned = ["taskset", "-c", str(SERVER_CORE), *words]
    env = os.environ if source is None else os.environ | {"PYTHONPATH": str(source)}
    with started(pinned, env) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            assert process.stderr is not None
            raise RuntimeError(f"{words}: {process.stderr.read()}")
        yield process, line
