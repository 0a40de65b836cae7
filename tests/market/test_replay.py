"""A replayed market trades what was recorded."""

import asyncio
import gzip
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from jayx_stream.market import Driver
from jayx_stream.market.recording import Fault, RecordedMarket, RecordedTrade, first_time_ns
from jayx_stream.market.replay import Progress, Replay
from jayx_stream.model.answers import Answer, Done
from jayx_stream.model.commands import Command, PlaceOrder
from jayx_stream.model.events import MinuteBegan
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import MINUTE_NS
from tests.market.lines import START_NS, depth, ticker, trade, write
from tests.market.venue import BTCUSDT, Venue, recovered, running, state

RECORDINGS = [
    Path(__file__).parents[3] / "shared" / "data" / name
    for name in ("btcusdt_20240809.gz", "ethusdt_20240809.gz")
]

MARKET = (
    depth(0, [("100", "1"), ("99", "2")], [("101", "1"), ("102", "2"), ("103", "3")]),
    ticker(50),
    trade(60, "101", "0.25"),
    trade(70, "103", "4.5"),  # beyond better levels, and more than there is
    trade(80, "102.5", "0.1"),  # where there is no level
    depth(100, [("100", "1")], [("101", "0"), ("102", "0"), ("103", "5")]),
    trade(130, "104", "1", sell=True),  # above the asks: the price has moved on
    trade(140, "100", "0.5", sell=True),
    depth(200, [("104", "7"), ("100", "0")], [("103", "0"), ("105", "1")]),
    trade(60_500, "105", "0.75"),
    depth(180_000, [("106", "1")], []),  # crosses an ask that it doesn't mention
    trade(180_001, "106", "2", sell=True),
)


async def replay(venue: Venue, *paths: Path, faults: list[Fault] | None = None) -> Replay:
    """Replay files as fast as can be."""
    told: list[Fault] = [] if faults is None else faults
    replay = Replay(
        paths,
        venue.instruments,
        venue.submit,
        venue.clock.advance,
        speed=None,
        on_fault=told.append,
    )
    await replay.prepare()
    await replay.run()
    return replay


def lots_by_minute(venue: Venue, symbol: str) -> dict[int, int]:
    """Volume of the venue's minute klines, those without any left out."""
    klines = venue.projections.klines[symbol]
    all_klines = [*klines.closed(60, 1000), klines.current(60)]
    return {kline.created_s: kline.lots for kline in all_klines if kline.lots}


async def test_each_recorded_trade_is_one_fill_of_its_size_at_its_price(tmp_path: Path) -> None:
    path = write(tmp_path / "market", *MARKET)
    async with running(start_ns=START_NS) as venue:
        replayed = await replay(venue, path)
        fills = [
            (event.side, BTCUSDT.tick_size.text(event.ticks), BTCUSDT.lot_size.text(event.lots))
            for _, event in venue.trades()
        ]
        assert _merged(fills) == [
            (Side.BUY, "101", 250_000),
            (Side.BUY, "103", 4_500_000),
            (Side.BUY, "102.5", 100_000),
            (Side.SELL, "104", 1_000_000),
            (Side.SELL, "100", 500_000),
            (Side.BUY, "105", 750_000),
            (Side.SELL, "106", 2_000_000),
        ]
        times_ms = [(time_ns - START_NS) // 1_000_000 for time_ns, _ in venue.trades()]
        assert sorted(set(times_ms)) == [60, 70, 80, 130, 140, 60_500, 180_001]
        assert lots_by_minute(venue, "BTCUSDT") == {
            START_NS // 10**9: 6_350_000,
            START_NS // 10**9 + 60: 750_000,
            START_NS // 10**9 + 180: 2_000_000,
        }
        assert "recorded 9100000 lots, traded 9100000 lots, difference 0" in replayed.summary()
        # At last the book is what the diffs say.
        book = venue.projections.orderbook("BTCUSDT", 1, 50, 0)
        assert [(level.ticks, level.lots) for level in book.bids] == [
            (10_600, 1_000_000),
            (10_400, 7_000_000),
            (9_900, 2_000_000),
        ]
        assert not book.asks
        assert state(await recovered(venue.journal)) == state(venue.exchange)


def _merged(fills: list[tuple[Side, str, str]]) -> list[tuple[Side, str, int]]:
    """Neighbouring fills at one price as one, sizes in lots: an order may meet two makers' orders."""
    merged: list[tuple[Side, str, int]] = []
    for side, price, quantity in fills:
        lots = BTCUSDT.lot_size.count(quantity)
        if merged and merged[-1][:2] == (side, price):
            lots += merged.pop()[2]
        merged.append((side, price, lots))
    return merged


async def test_minutes_begin_on_time_though_nothing_happens_in_them(tmp_path: Path) -> None:
    path = write(tmp_path / "market", *MARKET)
    async with running(start_ns=START_NS) as venue:
        await replay(venue, path)
        struck = [
            (commit.time_ns - START_NS, event.minute_ns - START_NS)
            for commit in venue.commits
            for event in commit.events
            if isinstance(event, MinuteBegan)
        ]
        assert struck == [(0, 0), (MINUTE_NS, MINUTE_NS), (3 * MINUTE_NS, 3 * MINUTE_NS)]


async def test_what_cannot_be_replayed_is_counted_and_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "market",
        depth(0, [("100.001", "1"), ("100", "1.0000001")], [("101", "1")]),
        "garbage",
        trade(1, "101.001", "1"),
        trade(2, "101", "0.0000005"),
        trade(3, "101", "1e3"),
        trade(4, "101", "0.5"),
        trade(5, "7", "1", symbol="DOGEUSDT"),
        trade(6, "7", "1", symbol="DOGEUSDT"),
    )
    faults: list[Fault] = []
    async with running(start_ns=START_NS) as venue:
        replayed = await replay(venue, path, faults=faults)
        assert [fault.number for fault in faults] == [2, 5, 7]
        summary = replayed.summary()
        assert "7 lines" in summary
        assert "2 bad lines" in summary
        assert "recorded 500000 lots, traded 500000 lots, difference 0" in summary
        assert "2 more trades, together 1.0000005 BTC, were left out" in summary
        assert "1 levels left out" in summary
        assert "1 levels rounded down" in summary
        assert "DOGEUSDT: 2 lines passed over" in summary


async def test_preparing_and_replaying_twice_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path / "market", *MARKET)
    async with running(start_ns=START_NS) as venue:
        await replay(venue, path)
        units = sum(each.units for each in venue.exchange.ledger.balances("replay-maker").values())
        once = venue.projections.orderbook("BTCUSDT", 1, 50, 0)
        await replay(venue, path)
        assert venue.projections.orderbook("BTCUSDT", 1, 50, 0).bids == once.bids
        assert sum(lots_by_minute(venue, "BTCUSDT").values()) == 2 * 9_100_000
        after = sum(each.units for each in venue.exchange.ledger.balances("replay-maker").values())
        assert after < 2 * units


def prefix(recording: Path, lines: int, folder: Path) -> Path:
    """The first lines of a recording, as a file."""
    if not recording.exists():
        pytest.skip(f"there is no {recording}")
    path = folder / recording.stem
    with gzip.open(recording) as whole:
        path.write_bytes(b"".join(islice(whole, lines)))
    return path


def recorded_lots(paths: list[Path], venue: Venue) -> dict[tuple[str, int], int]:
    """By symbol and minute of the receiver's clock."""
    steps = {each.symbol: each.lot_size for each in venue.instruments}
    lots: Counter[tuple[str, int]] = Counter()
    for line in RecordedMarket(paths, lambda fault: None):
        if isinstance(line.content, RecordedTrade):
            symbol = line.content.symbol
            minute_s = (line.time_ns - line.time_ns % MINUTE_NS) // 10**9
            lots[symbol, minute_s] += steps[symbol].count(line.content.quantity)
    return dict(lots)


async def test_real_recordings_trade_their_volume_to_the_lot(tmp_path: Path) -> None:
    paths = [prefix(recording, 16_000, tmp_path) for recording in RECORDINGS]
    async with running(start_ns=first_time_ns(paths)) as venue:
        await replay(venue, *paths)
        traded = {
            (symbol, minute_s): lots
            for symbol in ("BTCUSDT", "ETHUSDT")
            for minute_s, lots in lots_by_minute(venue, symbol).items()
        }
        assert traded == recorded_lots(paths, venue)
        assert len(traded) >= 4
        assert state(await recovered(venue.journal)) == state(venue.exchange)


async def test_others_may_trade_meanwhile(tmp_path: Path) -> None:
    """A trader takes from and stands in the way of the replay all the time."""
    random = Random(5)
    lines = []
    for ms in range(0, 20_000, 100):
        mid = 10_000 + ms // 1000
        bids = [(str(mid - each), str(random.randint(0, 3))) for each in range(1, 5)]
        asks = [(str(mid + each), str(random.randint(0, 3))) for each in range(1, 5)]
        lines.append(depth(ms, bids, asks))
        sell = random.random() < 0.5
        lines.append(trade(ms + 50, str(mid + (-1 if sell else 1)), "0.5", sell=sell))
    path = write(tmp_path / "market", *lines)
    async with running(start_ns=START_NS) as venue:
        await venue.trader("mallory")

        async def interfere() -> None:
            while True:
                type = random.choice([OrderType.LIMIT, OrderType.MARKET])
                limit_ticks = 100 * (10_010 + random.randint(-15, 15))
                order = PlaceOrder(
                    account="mallory",
                    symbol="BTCUSDT",
                    side=random.choice(list(Side)),
                    type=type,
                    lots=random.randint(1, 1_000_000),
                    limit_ticks=limit_ticks if type is OrderType.LIMIT else 0,
                )
                assert isinstance(await venue.submit(order), Done)

        mallory = asyncio.create_task(interfere())
        replayed = await replay(venue, path)
        mallory.cancel()
        assert replayed.progress(0).trades == 200
        accounts = {order.account for order in venue.exchange.orders.values()}
        assert accounts == {"mallory", "replay-maker"}
        # One order per level at most, whatever was filled behind the replay's back.
        levels = Counter(
            (order.side, order.limit_ticks)
            for order in venue.exchange.orders.values()
            if order.account == "replay-maker"
        )
        assert set(levels.values()) == {1}


async def test_pace_is_the_recorded_one_times_speed(tmp_path: Path) -> None:
    path = write(tmp_path / "market", trade(0, "5", "1"), trade(200, "5", "1"), ticker(1000))
    reports: list[Progress] = []
    async with running(start_ns=START_NS) as venue:
        replayed = Replay(
            [path],
            venue.instruments,
            venue.submit,
            venue.clock.advance,
            speed=10,
            on_progress=reports.append,
        )
        await replayed.prepare()
        await replayed.run()
    assert 0.1 <= reports[-1].elapsed_s < 0.5
    assert reports[-1].lines == 3
    assert reports[-1].percent == 100.0
    assert reports[-1].time_ns == START_NS + 10**9


async def test_it_ends_when_the_exchange_takes_no_more(tmp_path: Path) -> None:
    path = write(tmp_path / "market", *MARKET)
    async with running(start_ns=START_NS) as venue:
        orders = 0

        def submit(command: Command) -> asyncio.Future[Answer]:
            nonlocal orders
            orders += isinstance(command, PlaceOrder)
            future = venue.submit(command)
            if orders > 3:
                future = asyncio.get_running_loop().create_future()
                future.set_result(Refused(ErrorCode.UNAVAILABLE, "enough"))
            return future

        replayed = Replay([path], venue.instruments, submit, venue.clock.advance, speed=None)
        await replayed.prepare()
        await replayed.run()
        assert "ended early, an order was not taken: enough" in replayed.summary()
        assert replayed.progress(0).lines < len(MARKET)


async def test_it_can_be_stopped_while_it_waits_for_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "market", ticker(0), ticker(3_600_000), *[ticker(4_000_000)] * 5000)
    async with running(start_ns=START_NS) as venue:
        driver: Driver = Replay([path], venue.instruments, venue.submit, venue.clock.advance)
        await driver.prepare()
        task = asyncio.create_task(driver.run())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert isinstance(driver, Replay)
        assert 0 < driver.progress(0).percent < 100
