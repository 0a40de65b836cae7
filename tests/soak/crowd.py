"""Who takes part in a soak: workers that live one life after another, until there has been enough."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import httpx
import websockets

from tests.doors import command
from tests.doors.trader import Credentials

ACCOUNTS = tuple(Credentials(f"soak-key-{number}", f"soak-secret-{number}") for number in range(6))
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PING_S = 5
"""After so long a silence the server asks, and cuts after as long again."""
END_WITHIN_S = 30.0
FAULTS_MAX = 20
STANDS_STILL_S = 2.0
CUT = (
    ConnectionError,
    asyncio.IncompleteReadError,
    TimeoutError,
    httpx.TransportError,
    websockets.WebSocketException,
)

CONFIG = f"""\
[log]
level = "warning"

[limits]
connections_per_address = 0
requests_per_s = 0
http_requests_per_s = 0
orders_per_s = 0
ping_after_s = {PING_S}
pong_within_s = {PING_S}
queue_bytes = 65536
queue_bytes_max = 262144

[data]
changes_kept = 5000
checkpoint_commits = 5000

[admin]
port = {{operator_port}}
""" + "".join(
    f"""
[[instruments]]
symbol = "{symbol}"
base = "{symbol[:3]}"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"
maker_fee = "0.001"
taker_fee = "0.002"
"""
    for symbol in SYMBOLS
)
ACCOUNT = """
[[accounts]]
name = "soak{number}"
deposits = {{ BTC = "1000000", ETH = "1000000", USDT = "1000000000" }}

[[accounts.keys]]
api_key = "{key}"
secret = "{secret}"
permissions = ["read", "trade"]
"""


def config(operator_port: int) -> str:
    """The venue's."""
    accounts = "".join(
        ACCOUNT.format(number=number, key=each.key, secret=each.secret)
        for number, each in enumerate(ACCOUNTS)
    )
    return CONFIG.format(operator_port=operator_port) + accounts


@dataclass
class Crowd:
    """What everyone knows, and what was seen so far."""

    served: command.Served
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    counts: Counter[str] = field(default_factory=Counter)
    named_orders: int = 0
    """Placed with a client order id."""
    faults: list[str] = field(default_factory=list)
    """What the server did and should not have done, the first of it."""
    cuts: list[str] = field(default_factory=list)
    """Connections that ended though they should not have, the first of them."""
    stood_still_s: float = 0.0
    """The longest time for which the machine let nobody run, us included."""

    @property
    def port(self) -> int:
        """The server's."""
        return self.served.port

    async def pause(self, seconds: float) -> None:
        """For so long, or until there has been enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.enough.wait()

    def blame(self, fault: str) -> None:
        """Keep what went wrong."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)

    @property
    def wrong(self) -> list[str]:
        """All that is the server's fault. A machine that stood still for longer than the server waits for
        anyone is no fault of his: then connections may be cut.
        """
        return self.faults + ([] if self.stood_still_s > STANDS_STILL_S else self.cuts[:FAULTS_MAX])


class Life:
    """One client after another; `live` is one of them, from its connection to its end."""

    def __init__(self, crowd: Crowd, random: Random) -> None:
        self.crowd = crowd
        self.random = random

    async def live(self) -> None:
        """Overridden."""
        raise NotImplementedError


async def work(crowd: Crowd, life: Life) -> None:
    """Live again and again."""
    name = type(life).__name__
    while not crowd.enough.is_set():
        try:
            await life.live()
        except CUT as error:
            crowd.cuts.append(f"{name}: {error!r}")
            await crowd.pause(1.0)
        except Exception as error:  # a soak goes on, and tells of it in the end
            crowd.blame(f"{name}: {error!r}")
            await crowd.pause(1.0)
        crowd.counts[name] += 1


Make = Callable[[Crowd, Random], Life]


async def together(
    crowd: Crowd, makes: Sequence[Make], random: Random, until: Callable[[], Awaitable[None]]
) -> None:
    """Have everyone live until `until` returns, and wait for the last of them to have left."""
    tasks = [
        asyncio.create_task(work(crowd, make(crowd, Random(random.random())))) for make in makes
    ]
    try:
        await until()
    finally:
        crowd.enough.set()
        _, late = await asyncio.wait(tasks, timeout=END_WITHIN_S)
        for task in late:
            crowd.blame(f"did not come to an end: {task.get_coro()}")
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
