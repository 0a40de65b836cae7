"""`mode: delta` of a real market: every reader's book is the whole one, whenever it came and however slow."""

import asyncio
import random

import pytest

from jayx_stream.client.book import BookReplica
from jayx_stream.model.commands import CancelAll
from jayx_stream.model.views import Orderbook
from jayx_stream.wire.channels import DEPTHS, OrderbookChannel
from tests.desk.commands import TRADERS, buy, cancel, sell
from tests.feed.stage import Stage
from tests.hub.reader import Reader

DELTA = OrderbookChannel("BTCUSDT", delta=True)


def engines_book(stage: Stage, channel: OrderbookChannel = DELTA) -> Orderbook:
    return stage.gateway.projections.orderbook(channel.symbol, channel.precise, channel.depth, 50)


def folded(reader: Reader, replica: BookReplica | None = None) -> BookReplica:
    """What the reader holds after all that it read; a gap raises."""
    replica = replica or BookReplica()
    for frame in reader.frames:
        assert replica.apply_text(frame)
    reader.frames.clear()
    return replica


def trade_at_random(stage: Stage, chance: random.Random, ticks: tuple[int, int]) -> None:
    """One command of the crowd."""
    trader, side = chance.choice(TRADERS), chance.choice((buy, sell))
    if chance.random() < 0.05:
        stage.do(CancelAll(account=trader))
    stage.do(side(trader, chance.randint(1, 9), chance.randint(*ticks)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("precise", "depth"), [(1, 50), (1, 5), (10, 5), (100, 10)])
async def test_the_replica_is_the_engines_book_after_every_push(
    seed: int, precise: int, depth: int
) -> None:
    stage, chance = Stage(), random.Random(seed)
    channel = OrderbookChannel("BTCUSDT", precise, depth, delta=True)
    reader, replica = stage.reader(channel), BookReplica()
    for _ in range(300):
        trade_at_random(stage, chance, (60, 140) if precise == 1 else (1000, 3000))
        folded(reader, replica)
        assert replica.view == engines_book(stage, channel)


async def test_who_comes_later_goes_on_with_the_same_changes() -> None:
    stage, chance = Stage(orderbook_interval_ms=60_000), random.Random(7)
    flush = stage.gateway.hub.flush
    readers: list[tuple[Reader, BookReplica]] = []
    now_s = asyncio.get_running_loop().time()
    for step in range(200):
        trade_at_random(stage, chance, (90, 110))
        if step % 10 == 3:
            readers.append((stage.reader(DELTA), BookReplica()))
        if step % 4 == 0:
            now_s += 100.0
            flush(now_s)
            assert len({id(reader.frames[-1]) for reader, _ in readers if reader.frames}) <= 1
            for reader, replica in readers:
                folded(reader, replica)
                assert replica.view == engines_book(stage)
    assert len(readers) == 20


async def test_the_first_push_of_all_is_the_present_state_and_the_next_follows_on_it() -> None:
    stage = Stage(orderbook_interval_ms=60_000)
    stage.do(buy("alice", 5, 100))
    now_s = asyncio.get_running_loop().time()
    first, second = Reader(), Reader()
    stage.gateway.hub.subscribe(first.outbox, DELTA, now_s=now_s)
    stage.do(buy("alice", 6, 101))
    stage.gateway.hub.subscribe(second.outbox, DELTA, now_s=now_s)
    assert first.frames == second.frames, "both begin with what the stream told last"
    stage.gateway.hub.flush(now_s + 100.0)
    assert first.frames[1:] == second.frames[1:]
    (whole, change) = first.messages
    assert "prev" not in whole
    assert change["prev"] == whole["seq"] == stage.exchange.seq - 1
    assert folded(second).view == engines_book(stage)


async def test_subscribing_again_gives_the_whole_state_again() -> None:
    stage = Stage()
    reader = stage.reader(DELTA)
    stage.do(buy("alice", 5, 100))
    stage.gateway.hub.subscribe(reader.outbox, DELTA, now_s=0.0)
    stage.do(buy("alice", 6, 101))
    assert ["prev" in message for message in reader.messages] == [False, True, False, True]
    assert folded(reader).view == engines_book(stage)


async def test_what_is_beyond_the_depth_is_not_told_until_it_enters() -> None:
    stage = Stage()
    channel = OrderbookChannel("BTCUSDT", depth=5, delta=True)
    stage.do(*(buy("alice", 1, ticks) for ticks in range(100, 105)))
    reader = stage.reader(channel)
    stage.do(buy("alice", 7, 50))
    assert len(reader.frames) == 1
    stage.do(cancel("alice", 5))
    levels = reader.messages[-1]["message"]["orderBook"]["bids"]
    assert [(level["ticks"], level["lots"]) for level in levels] == [(104, 0), (50, 7)]
    assert folded(reader).view == engines_book(stage, channel)


async def test_trades_of_an_interval_beyond_fifty_are_the_last_fifty() -> None:
    stage = Stage(orderbook_interval_ms=60_000)
    reader = stage.reader(DELTA)
    for lots in range(1, 71):
        stage.trade(lots, 100)
    stage.gateway.hub.flush(asyncio.get_running_loop().time() + 100.0)
    assert [trade["lots"] for trade in reader.messages[-1]["message"]["trades"]] == list(
        range(70, 20, -1)
    )
    assert folded(reader).view == engines_book(stage)


async def test_every_depth_has_a_stream_of_its_own() -> None:
    stage = Stage()
    stage.do(*(buy("alice", 1, ticks) for ticks in range(1, 300)))
    channels = [OrderbookChannel("BTCUSDT", 1, depth, delta=True) for depth in DEPTHS]
    readers = [stage.reader(channel) for channel in channels]
    stage.do(buy("alice", 1, 300))
    for channel, reader in zip(channels, readers, strict=True):
        assert folded(reader).view == engines_book(stage, channel)


# Slow readers.


async def test_a_slow_reader_is_given_one_whole_state_and_then_changes_again() -> None:
    stage, chance = Stage(), random.Random(3)
    reader, quick = stage.reader(DELTA), stage.reader(DELTA)
    replica = folded(reader)
    reader.stop()
    for _ in range(40):
        trade_at_random(stage, chance, (90, 110))
    assert len(reader.outbox._waiting) == 1
    told = len(quick.frames) - 1
    reader.read()
    stage.do(sell("alice", 1, 500))
    whole, change = reader.messages
    assert (whole["merged"], "prev" in whole) == (told - 1, False)
    assert (change["prev"], "merged" in change) == (whole["seq"], False)
    assert folded(reader, replica).view == engines_book(stage)
    assert folded(quick).view == engines_book(stage)


@pytest.mark.parametrize("seed", range(6))
async def test_however_slow_it_reads_a_reader_never_has_a_gap(seed: int) -> None:
    stage, chance = Stage(), random.Random(seed)
    other = OrderbookChannel("BTCUSDT", 10, 5, delta=True)
    reader = Reader(queue_bytes=chance.choice((1, 500, 2000)), queue_bytes_max=1)
    replicas = {channel.name: BookReplica() for channel in (DELTA, other)}
    for channel in (DELTA, other):
        stage.gateway.hub.subscribe(reader.outbox, channel, now_s=0.0)
    for _ in range(300):
        trade_at_random(stage, chance, (80, 120))
        if chance.random() < 0.1:
            reader.stop()
        elif chance.random() < 0.2:
            reader.read(chance.choice((None, 1, 2, 5)))
    reader.read()
    for frame, message in zip(reader.frames, reader.messages, strict=True):
        assert replicas[message["stream"]].apply_text(frame)
    for channel in (DELTA, other):
        assert replicas[channel.name].view == engines_book(stage, channel)
    assert reader.given_up == 0


async def test_what_waits_for_a_slow_reader_of_changes_is_bounded() -> None:
    stage, chance = Stage(), random.Random(3)
    reader = Reader(queue_bytes=10_000, queue_bytes_max=10_000)
    stage.gateway.hub.subscribe(reader.outbox, DELTA, now_s=0.0)
    reader.stop()
    for _ in range(400):
        trade_at_random(stage, chance, (60, 140))
        assert reader.outbox.waiting_bytes <= 10_000 + 10_000
    assert reader.given_up == 0


async def test_nothing_of_a_stream_is_kept_when_its_last_reader_leaves() -> None:
    stage = Stage()
    first = stage.reader(DELTA)
    stage.gateway.hub.leave(first.outbox)
    stage.do(buy("alice", 5, 100))
    later = stage.reader(DELTA)
    assert "prev" not in later.messages[0]
    assert folded(later).view == engines_book(stage)
