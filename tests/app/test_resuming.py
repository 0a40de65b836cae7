"""A reader that was away gets every change since, once and in order (protocol §6, §7)."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from jayx_stream.app.gateway import Gateway
from jayx_stream.app.resuming import PAGE_CHANGES
from jayx_stream.history import HistoryError
from jayx_stream.history.memory import MemoryHistory
from jayx_stream.history.sqlite import SqliteHistory
from jayx_stream.model.past import AccountChange
from jayx_stream.projections import RecentChanges
from jayx_stream.wire.channels import Channel, OpenOrdersChannel, PositionsChannel
from tests.desk.commands import buy, cancel, sell
from tests.feed.stage import Stage
from tests.hub.reader import Reader

ORDERS = OpenOrdersChannel("alice")
POSITIONS = PositionsChannel("alice")
CHANNELS: list[Channel] = [ORDERS, OpenOrdersChannel("alice", "ETHUSDT"), POSITIONS]


class SlowHistory(MemoryHistory):
    """Answers when it is let."""

    def __init__(self, changes_kept: int = 0) -> None:
        super().__init__(changes_kept)
        self.let = asyncio.Event()
        self.asked = 0

    async def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        self.asked += 1
        found = await super().changes(account, after_seq, limit)
        await self.let.wait()
        return found


class BrokenHistory(MemoryHistory):
    async def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        raise HistoryError("the disk is gone")


def forget(stage: Stage, changes: int = 0) -> None:
    """Have the gateway remember so few changes itself."""
    recent = RecentChanges(changes)
    recent.last_seq = recent._after_seq = stage.exchange.seq
    stage.gateway._recent = recent
    stage.gateway._resuming._recent = recent


def trade(stage: Stage, random: Random, count: int) -> None:
    """Some orders of everybody, in two symbols."""
    for _ in range(count):
        symbol = random.choice(("BTCUSDT", "ETHUSDT"))
        side = random.choice((buy, sell))
        ticks, account = random.randint(95, 105), random.choice(("alice", "alice", "bob"))
        stage.do(side(account, random.randint(1, 9), ticks, symbol=symbol))


def told(reader: Reader) -> list[tuple[int, Any]]:
    assert not any("merged" in message for message in reader.messages)
    return [(message["seq"], message["message"]) for message in reader.messages]


def gateway(history: SqliteHistory) -> Gateway:
    return Gateway(lambda: 0, history, kline_interval_ms=0, orderbook_interval_ms=0)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
@pytest.mark.parametrize("remembered", [0, 10, 10_000])
async def test_every_change_since_comes_as_the_push_that_it_was(
    channel: Channel, remembered: int
) -> None:
    stage, random = Stage(), Random(remembered)
    forget(stage, remembered)
    whole = stage.reader(channel)
    trade(stage, random, 2 * PAGE_CHANGES + 50)
    for seq in (0, 12, 300, stage.exchange.seq - 5, stage.exchange.seq):
        late = Reader()
        stage.gateway.hub.resume(late.outbox, channel, seq)
        trade(stage, random, 3)
        await settle()
        trade(stage, random, 3)
        since = max(seq, whole.messages[0]["seq"])
        assert [each for each in told(late) if each[0] > since] == [
            each for each in told(whole)[1:] if each[0] > seq
        ]
        assert not any("reset" in message for message in late.messages)


async def test_orders_that_flow_while_history_is_read_are_neither_lost_nor_told_twice() -> None:
    history = SlowHistory()
    stage, random = Stage(history=history), Random(1)
    whole = stage.reader(ORDERS)
    trade(stage, random, 30)
    forget(stage, 5)
    late = Reader()
    stage.gateway.hub.resume(late.outbox, ORDERS, 12)
    trade(stage, random, 20)
    await settle()
    assert late.frames == []
    history.let.set()
    for _ in range(20):
        trade(stage, random, 10)
        await asyncio.sleep(0)
    await settle()
    trade(stage, random, 5)
    assert told(late) == told(whole)[1:]


async def test_others_are_served_while_a_reader_waits() -> None:
    stage = Stage(history=SlowHistory())
    forget(stage)
    late = Reader()
    stage.gateway.hub.resume(late.outbox, ORDERS, 5)
    other = stage.reader(ORDERS)
    stage.do(buy("alice", 1, 10))
    assert len(other.frames) == 2
    stage.gateway.hub.leave(late.outbox)


async def test_who_leaves_or_unsubscribes_meanwhile_is_told_nothing() -> None:
    history = SlowHistory()
    stage = Stage(history=history)
    forget(stage)
    gone, still = Reader(), Reader()
    for reader in (gone, still):
        for channel in (ORDERS, POSITIONS):
            stage.gateway.hub.resume(reader.outbox, channel, 5)
    await settle()
    assert history.asked == 4
    stage.gateway.hub.leave(gone.outbox)
    gone.outbox.close()
    stage.gateway.hub.unsubscribe(still.outbox, POSITIONS)
    history.let.set()
    await settle()
    stage.do(buy("alice", 1, 10))
    assert gone.frames == []
    assert [message["stream"] for message in still.messages] == ["openorders:spot@alice"]
    assert stage.gateway.hub.stream(POSITIONS) is None
    assert not stage.gateway._resuming._tasks


async def test_subscribing_anew_meanwhile_gives_the_state_and_no_second_stream() -> None:
    history = SlowHistory()
    stage = Stage(history=history)
    stage.do(buy("alice", 1, 10))
    forget(stage)
    late = Reader()
    stage.gateway.hub.resume(late.outbox, ORDERS, 5)
    await settle()
    stage.gateway.hub.subscribe(late.outbox, ORDERS, now_s=0.0)
    history.let.set()
    await settle()
    stage.do(cancel("alice", 1))
    assert [(len(each["modify"]), len(each["cancel"])) for _, each in told(late)] == [
        (1, 0),
        (0, 1),
    ]


async def test_resuming_what_one_reads_tells_again_and_makes_no_second_stream() -> None:
    stage = Stage()
    stage.do(buy("alice", 1, 10), buy("alice", 1, 11))
    seq = stage.exchange.seq
    reader = stage.reader(ORDERS)
    stage.gateway.hub.resume(reader.outbox, ORDERS, seq - 1)
    stage.do(buy("alice", 1, 12))
    assert [each[0] for each in told(reader)] == [seq, seq, seq + 1]


@pytest.mark.parametrize("channel", [ORDERS, POSITIONS], ids=lambda channel: channel.name)
async def test_what_can_not_be_told_is_replaced_by_the_state_that_says_so(channel: Channel) -> None:
    stage = Stage(history=MemoryHistory(changes_kept=10))
    trade(stage, Random(1), 50)
    forget(stage)
    last = stage.exchange.seq
    for seq, reset in ((last + 1, True), (last - 11, True), (last - 10, False), (2**70, True)):
        reader = Reader()
        stage.gateway.hub.resume(reader.outbox, channel, seq)
        await settle()
        first = reader.messages[0]
        assert first.get("reset", False) is reset
        if reset:
            (fresh,) = stage.reader(channel).messages
            assert {**fresh, "reset": True} == first


async def test_a_history_that_can_not_be_read_is_a_reset_not_an_end() -> None:
    stage = Stage(history=BrokenHistory())
    forget(stage)
    reader = Reader()
    stage.gateway.hub.resume(reader.outbox, ORDERS, 3)
    await settle()
    stage.do(buy("alice", 1, 10))
    assert [message.get("reset", False) for message in reader.messages] == [True, False]


async def test_a_slow_reader_is_told_no_faster_than_it_reads() -> None:
    stage, random = Stage(), Random(1)
    whole = stage.reader(POSITIONS)
    trade(stage, random, 800)
    forget(stage)
    late = Reader(queue_bytes=4000, queue_bytes_max=20_000)
    late.stop()
    stage.gateway.hub.resume(late.outbox, POSITIONS, 0)
    for _ in range(200):
        await asyncio.sleep(0.002)
        assert late.outbox.waiting_bytes < 4000
        late.read(50)
    late.read()
    await settle()
    assert late.given_up == 0
    known = whole.messages[0]["seq"]
    assert [each for each in told(late) if each[0] > known] == told(whole)[1:]


async def test_who_is_given_up_in_the_middle_is_told_no_more() -> None:
    stage, random = Stage(), Random(1)
    trade(stage, random, 100)
    late = Reader(queue_bytes=0, queue_bytes_max=600)
    late.when_given_up = lambda: stage.gateway.hub.leave(late.outbox)
    late.stop()
    stage.gateway.hub.resume(late.outbox, ORDERS, 0)
    await settle()
    stage.do(*(buy("alice", 1, 10) for _ in range(5)))
    assert late.given_up == 1
    assert stage.gateway.hub.stream(ORDERS) is None


async def test_a_gateway_goes_on_from_where_history_ended(tmp_path: Path) -> None:
    stage, random = Stage(), Random(1)
    whole = stage.reader(ORDERS)
    trade(stage, random, 100)
    half = len(stage.commits) // 2
    history = await SqliteHistory.open(tmp_path, "epoch", 10**6)
    behind = gateway(history)
    behind.follow(stage.commits[:half])
    await history.close()
    history = await SqliteHistory.open(tmp_path, "epoch", 10**6)
    assert history.last_seq == half
    for later in (gateway(history), gateway(history)):
        later.follow(stage.commits)
        assert history.last_seq == len(stage.commits)
        for seq in (0, half - 7, half, half + 7, history.last_seq):
            late = Reader()
            later.hub.resume(late.outbox, ORDERS, seq)
            await settle()
            assert told(late) == [each for each in told(whole)[1:] if each[0] > seq]
    await history.close()
