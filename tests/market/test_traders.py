"""Simulated traders make the market that their seed says."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from jayx_stream.market import Driver
from jayx_stream.market.flow import MAKERS, TAKERS
from jayx_stream.market.traders import BEHIND_NS_MAX, PAUSES_MAX, SimulatedMarket
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import CancelAll, Command, PlaceOrder
from jayx_stream.model.events import AnyEvent, OrderPlaced
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import NS_PER_S
from tests.market.lines import START_NS
from tests.market.venue import BTCUSDT, ETHUSDT, Venue, recovered, running, state


class Over(Exception):
    """The virtual time is over."""


class VirtualTime:
    """Passes by being slept through; the venue's clock goes with it."""

    def __init__(self, venue: Venue, seconds: float, each_second: Callable[[], None]) -> None:
        self.now_ns = 0
        self.sleeps = 0
        self._venue = venue
        self._end_ns = int(seconds * NS_PER_S)
        self._each_second = each_second

    def __call__(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        before_s = self.now_ns // NS_PER_S
        self.now_ns += int(seconds * NS_PER_S)
        if self.now_ns >= self._end_ns:
            raise Over
        if self.now_ns // NS_PER_S > before_s:
            for _ in range(5):
                await asyncio.sleep(0)
            self._each_second()
        self._venue.clock.advance(START_NS + self.now_ns)


async def simulate(
    venue: Venue, seconds: float, *, seed: int = 1, each_second: Callable[[], None] = lambda: None
) -> None:
    time = VirtualTime(venue, seconds, each_second)
    market: Driver = SimulatedMarket(
        venue.instruments, venue.submit, seed=seed, now_ns=time, sleep=time.sleep
    )
    await market.prepare()
    with pytest.raises(Over):
        await market.run()
    await venue.submit(CancelAll(account="nobody"))


async def events(seed: int) -> list[AnyEvent]:
    async with running(start_ns=START_NS) as venue:
        await simulate(venue, 20, seed=seed)
        return venue.events()


async def test_the_same_seed_makes_the_same_market() -> None:
    first, again, other = await events(7), await events(7), await events(8)
    assert len(first) > 1000
    assert first == again
    assert first != other


async def test_it_trades_more_than_20_times_a_second_and_the_book_is_never_empty() -> None:
    async with running(start_ns=START_NS) as venue:
        levels: Counter[int] = Counter()

        def look() -> None:
            for book in venue.projections.books.values():
                for half in (book.bids, book.asks):
                    levels[len(half.levels(1, 50))] += 1

        await simulate(venue, 120, each_second=look)
        trades = venue.trades()
        assert len(trades) / 120 > 20
        assert {event.symbol for _, event in trades} == {"BTCUSDT", "ETHUSDT"}
        assert min(levels) >= 10
        assert levels.total() == 119 * 4
        assert venue.exchange.seq / 120 < 300
        traders = {event.account for event in venue.events() if isinstance(event, OrderPlaced)}
        assert traders == {*MAKERS, *TAKERS}
        for symbol in ("BTCUSDT", "ETHUSDT"):
            prices = [event.ticks for _, event in trades if event.symbol == symbol]
            assert max(prices) / min(prices) < 1.02
        assert state(await recovered(venue.journal)) == state(venue.exchange)


async def test_it_starts_from_the_last_price_with_nothing_left_over() -> None:
    async with running(start_ns=START_NS) as venue:
        await simulate(venue, 5)
        time = VirtualTime(venue, 5, lambda: None)
        market = SimulatedMarket(
            venue.instruments,
            venue.submit,
            last_ticks={"BTCUSDT": 4_000_000}.get,
            now_ns=time,
            sleep=time.sleep,
        )
        await market.prepare()
        assert not venue.exchange.orders
        with pytest.raises(Over):
            await market.run()
        trades = venue.trades()
        assert next(e.ticks for _, e in trades if e.symbol == "BTCUSDT") > 6_000_000
        last = next(e.ticks for _, e in reversed(trades) if e.symbol == "BTCUSDT")
        assert 3_950_000 < last < 4_050_000
        assert venue.trades()[-1][1].lots > 0


async def test_an_instrument_without_a_profile_gets_a_market_too() -> None:
    coarse = Instrument.define(
        symbol="XYZEUR", base="XYZ", quote="EUR", tick_size="0.5", lot_size="1", min_lots=10
    )
    fine = Instrument.define(
        symbol="ABCBTC", base="ABC", quote="BTC", tick_size="0.00001", lot_size="0.001"
    )
    async with running(start_ns=START_NS, instruments=[BTCUSDT, ETHUSDT, coarse, fine]) as venue:
        await simulate(venue, 60)
        trades = Counter(event.symbol for _, event in venue.trades())
        assert set(trades) == {"BTCUSDT", "ETHUSDT", "XYZEUR", "ABCBTC"}
        assert trades.total() / 60 > 20
        assert venue.exchange.seq / 60 < 300


async def test_a_long_stall_is_not_made_up_for() -> None:
    async with running(start_ns=START_NS) as venue:
        time = VirtualTime(venue, 100_000, lambda: None)
        market = SimulatedMarket(venue.instruments, venue.submit, now_ns=time, sleep=time.sleep)
        await market.prepare()
        task = asyncio.create_task(market.run())
        while time.now_ns < 2 * NS_PER_S:
            await asyncio.sleep(0)
        time.now_ns += 1000 * NS_PER_S
        placed = venue.exchange.seq
        stalled_ns = time.now_ns
        while time.now_ns < stalled_ns + BEHIND_NS_MAX:
            await asyncio.sleep(0)
        task.cancel()
        assert venue.exchange.seq - placed < 1000
        await asyncio.wait([task])


async def test_it_pauses_while_the_exchange_takes_nothing_and_ends_with_it() -> None:
    async with running(start_ns=START_NS) as venue:
        refusing = False

        def submit(command: Command) -> asyncio.Future[Answer]:
            if not refusing:
                return venue.submit(command)
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            future.set_result(Refused(ErrorCode.UNAVAILABLE, "busy"))
            return future

        time = VirtualTime(venue, 100_000, lambda: None)
        market = SimulatedMarket(venue.instruments, submit, now_ns=time, sleep=time.sleep)
        await market.prepare()
        task = asyncio.create_task(market.run())

        async def until(seconds: float) -> None:
            while time.now_ns < seconds * NS_PER_S and not task.done():
                await asyncio.sleep(0)

        await until(5)
        refusing = True
        await until(10)
        refusing, placed = False, venue.exchange.seq
        await until(20)
        assert venue.exchange.seq > placed + 100
        refusing = True
        await until(30 + PAUSES_MAX)
        assert task.done()
        assert task.exception() is None


async def test_a_client_finds_takers() -> None:
    async with running(start_ns=START_NS) as venue:
        await venue.trader("alice")
        placed: list[asyncio.Future[Answer]] = []

        def bid() -> None:
            best = venue.projections.orderbook("BTCUSDT", 1, 1, 0).bids[0]
            order = PlaceOrder(
                account="alice",
                symbol="BTCUSDT",
                side=Side.BUY,
                type=OrderType.LIMIT,
                lots=1000,
                limit_ticks=best.ticks,
            )
            placed.append(venue.submit(order))

        await simulate(venue, 30, each_second=bid)
        positions = venue.projections.positions.of("alice").spot
        bought = next(each for each in positions if each.asset == "BTC").balance_units - 10**17
        assert bought > 10 * 1000 * BTCUSDT.lot_units * 0.99
