"""What the benchmarks share: processes that end with them, a venue in one, signed orders, percentiles."""

import contextlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hmac import digest
from pathlib import Path

KEY = "clmsionk21ru"
SECRET = "benchmark-secret"

UNLIMITED = """\
[limits]
requests_per_s = 0
connections_per_address = 0
http_requests_per_s = 0
orders_per_s = 0
"""

MARKET = """
[admin]
port = 0

[[instruments]]
symbol = "BTCUSDT"
base = "BTC"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"
"""


def account(name: str, key: str, secret: str) -> str:
    """In a configuration: one that is rich, with a key for everything."""
    return f"""
[[accounts]]
name = "{name}"
deposits = {{ BTC = "1000000", USDT = "10000000000" }}

[[accounts.keys]]
api_key = "{key}"
secret = "{secret}"
permissions = ["read", "trade"]
"""


CONFIG = f"""\
{UNLIMITED}open_orders_per_account = 0
{MARKET}maker_fee = "0.001"
taker_fee = "0.002"
{account("alice", KEY, SECRET)}"""


@contextlib.contextmanager
def started(
    words: Sequence[str],
    env: Mapping[str, str] | None = None,
    stderr: int | None = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """A program, with pipes. However this ends, it is killed then, and all that it started."""
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
        env=env,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextlib.contextmanager
def served() -> Iterator[int]:
    """A venue in a process and a folder of its own, pinned to the first core; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "venue.toml"
        config.write_text(CONFIG)
        words = ["taskset", "-c", "0", sys.executable, "-m", "jayx_stream", "serve"]
        words += ["--config", str(config), "--port", "0", "--data-dir", folder]
        with started(words, stderr=None) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            yield int(ready.split("ws://127.0.0.1:")[1].split("/")[0])


def pin_load() -> None:
    """Keep this process off the server's core, where there is another one."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores - {0} or cores)


def signed(method: str, path: str, body: bytes, timestamp: str) -> bytes:
    """A signed HTTP request."""
    sign = b64encode(
        digest(SECRET.encode(), f"{timestamp}{method}{path}".encode() + body, "sha256")
    )
    return (
        f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\njayx-access-key: {KEY}\r\n"
        f"jayx-access-timestamp: {timestamp}\r\njayx-access-sign: {sign.decode()}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


def order_text(side: str, lots: int, ticks: int) -> str:
    """An order that no other one is like: it differs in its client order id."""
    return (
        f'{{"symbol":"BTCUSDT","side":"{side}","type":"LIMIT","lots":{lots},"ticks":{ticks},'
        f'"clientOrderId":"{time.time_ns()}"}}'
    )


def limit_order(side: str, lots: int, ticks: int) -> bytes:
    """A signed order."""
    body = order_text(side, lots, ticks).encode()
    timestamp = str(time.time_ns() // 1_000_000)
    return signed("POST", "/api/v1/trader/order", body, timestamp)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def machine() -> str:
    """Where this was measured."""
    python, cores = platform.python_version(), os.cpu_count()
    return f"CPython {python}, {platform.platform()}, {platform.machine()}, {cores} cores"
