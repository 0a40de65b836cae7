"""A venue without doors, for drivers to drive: exchange, desk, journal, feed and projections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from jayx_stream.app.clock import RecordedClock
from jayx_stream.app.exchange import ExchangeLoop
from jayx_stream.desk.local import LocalDesk
from jayx_stream.engine import Exchange
from jayx_stream.feed.local import LocalFeed
from jayx_stream.journal import Journal
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.answers import Done
from jayx_stream.model.commands import Deposit, ListInstrument, OpenAccount
from jayx_stream.model.events import AnyEvent, Commit, Traded
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Side
from jayx_stream.projections import Projections

BTCUSDT = Instrument.define(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size="0.01",
    lot_size="0.000001",
    maker_fee="0.002",
    taker_fee="0.002",
)
ETHUSDT = Instrument.define(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick_size="0.01",
    lot_size="0.00001",
    taker_fee="0.001",
)


class Venue:
    """What a driver and a test need of one."""

    def __init__(
        self, journal: Journal, start_ns: int, instruments: Sequence[Instrument], *, keep: bool
    ) -> None:
        self.instruments = instruments
        self.journal = journal
        self.clock = RecordedClock(start_ns)
        self.exchange = Exchange()
        self.desk = LocalDesk(self.clock)
        self.submit = self.desk.submit
        self.projections = Projections()
        self.feed = LocalFeed(journal.read)
        self.loop = ExchangeLoop(self.exchange, self.desk, journal, self.feed)
        self.commits: list[Commit] = []
        self._keep = keep

    def follow(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            self.projections.apply(commit)
        if self._keep:
            self.commits.extend(commits)

    def events(self) -> list[AnyEvent]:
        return [event for commit in self.commits for event in commit.events]

    def trades(self) -> list[tuple[int, Traded]]:
        """Time and trade."""
        return [
            (commit.time_ns, event)
            for commit in self.commits
            for event in commit.events
            if isinstance(event, Traded)
        ]

    async def trader(self, name: str) -> None:
        """Open an account that has plenty."""
        await self.submit(OpenAccount(account=name))
        for asset in ("BTC", "ETH", "USDT"):
            deposit = Deposit(account=name, asset=asset, units=10**17, reference=asset)
            assert isinstance(await self.submit(deposit), Done)


@contextlib.asynccontextmanager
async def running(
    *,
    start_ns: int,
    journal: Journal | None = None,
    instruments: Sequence[Instrument] = (BTCUSDT, ETHUSDT),
    keep: bool = True,
) -> AsyncIterator[Venue]:
    """A venue that trades; `keep` its commits for the test to look at."""
    venue = Venue(journal or MemoryJournal(), start_ns, instruments, keep=keep)
    await venue.feed.follow(0, venue.follow)
    ended = asyncio.create_task(venue.loop.run())
    await asyncio.sleep(0)
    for instrument in instruments:
        await venue.submit(ListInstrument(instrument=instrument))
    try:
        yield venue
    finally:
        venue.desk.close("the test is over")
        await ended


def state(exchange: Exchange) -> dict[str, object]:
    """All that an exchange holds, to be compared."""
    return {
        "seq": exchange.seq,
        "time_ns": exchange.time_ns,
        "orders": {order_id: order.view() for order_id, order in exchange.orders.items()},
        "balances": {
            account: {asset: (each.units, each.reserved_units) for asset, each in held.items()}
            for account, held in exchange.ledger.accounts().items()
        },
        "books": {
            (symbol, side): [(level.ticks, level.lots) for level in book.half(side).levels()]
            for symbol, book in exchange.books.items()
            for side in Side
        },
    }


async def recovered(journal: Journal) -> Exchange:
    """An exchange folded from the journal alone."""
    exchange = Exchange()
    async for commits in journal.read(0):
        for commit in commits:
            exchange.apply(commit)
    return exchange
