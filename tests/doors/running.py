"""A real venue in this process, on a port of its own."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import websockets

from jayx_stream.app.clock import RecordedClock
from jayx_stream.app.config import Account, ApiKey, Config, InstrumentTerms, Server, Streams
from jayx_stream.app.vault import Vault
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.doors.tls import ServerTls
from jayx_stream.doors.websocket import WebSocketConnection
from jayx_stream.journal import Journal
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.wire.limits import Limits
from tests.doors.raw import RawClient, shake_hands
from tests.doors.told import check_response
from tests.doors.trader import ALICE, BOB, READER, Trader

BTCUSDT = InstrumentTerms(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size="0.01",
    lot_size="0.000001",
    max_lots=100_000_000,
    maker_fee="0.002",
    taker_fee="0.002",
)
ETHUSDT = InstrumentTerms(
    symbol="ETHUSDT", base="ETH", quote="USDT", tick_size="0.01", lot_size="0.00001"
)
TIME_MS = 1716131619042
"""The venue's clock stands still, in the minute of the document's kline: no other begins within a test,
and every byte is known.
"""

TRADE = ("read", "trade")
ACCOUNTS = (
    Account("alice", {"BTC": "100", "USDT": "1000000"}, (ApiKey(ALICE.key, ALICE.secret, TRADE),)),
    Account(
        "bob",
        {"BTC": "100", "USDT": "1000000"},
        (ApiKey(BOB.key, BOB.secret, TRADE), ApiKey(READER.key, READER.secret, ("read",))),
    ),
)


def limits(**changed: int) -> Limits:
    """The limits that clients have by default, but no bound on the rate of orders or HTTP requests."""
    off = {"orders_per_s": 0, "failed_keys_per_min": 0, "http_requests_per_s": 0}
    return Limits(**{**off, **changed})


def configured(
    bounds: Limits | None = None,
    *,
    orderbook_interval_ms: int = 0,
    kline_interval_ms: int = 0,
    deflate: bool = False,
    origins: tuple[str, ...] = (),
) -> Config:
    """Two instruments, alice and bob; every change is pushed at once."""
    return Config(
        server=Server(port=0, origins=origins),
        streams=Streams(orderbook_interval_ms, kline_interval_ms, deflate),
        limits=bounds or limits(),
        instruments=(BTCUSDT, ETHUSDT),
        accounts=ACCOUNTS,
    )


@dataclass
class Running:
    """A venue that serves, and ways to it."""

    venue: EmbeddedVenue
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def seats(self) -> int:
        """Connections of all kinds that are counted."""
        return self.venue._door.addresses.open

    @property
    def connections(self) -> list[WebSocketConnection]:
        """Those over WebSocket."""
        everyone = self.venue._door.connections
        return [each for each in everyone if isinstance(each, WebSocketConnection)]

    def connect(self, query: str = "") -> websockets.connect:
        """The `websockets` library's client."""
        return websockets.connect(f"ws://127.0.0.1:{self.port}/{query}", proxy=None)

    async def raw(
        self, query: str = "", *, receive_buffer: int | None = None, offer: str | None = None
    ) -> RawClient:
        """A client that is free to do wrong."""
        path = f"/{query}"
        return await shake_hands(self.port, path, receive_buffer=receive_buffer, offer=offer)

    @contextlib.asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        # Without `verify=False` each client would read the system's certificates, for plain HTTP.
        async with httpx.AsyncClient(
            base_url=self.origin,
            trust_env=False,
            verify=False,
            event_hooks={"response": [check_response]},
        ) as client:
            yield client

    @contextlib.asynccontextmanager
    async def traders(self) -> AsyncIterator[tuple[Trader, Trader]]:
        """Alice and bob."""
        async with self.http() as http:
            yield Trader(http, ALICE), Trader(http, BOB)


@contextlib.asynccontextmanager
async def venue(
    config: Config | None = None,
    *,
    journal: Journal | None = None,
    vault: Vault | None = None,
    tls: ServerTls | None = None,
) -> AsyncIterator[Running]:
    """Serve while the context lasts, at `TIME_MS` all the time."""
    clock = RecordedClock(TIME_MS * 1_000_000)
    made = EmbeddedVenue(
        config or configured(), journal or MemoryJournal(), clock, vault=vault, tls=tls
    )
    await made.recover()
    port = await made.start()
    try:
        yield Running(made, port)
    finally:
        await made.stop()
