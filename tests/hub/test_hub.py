"""Who is told, when, and at what cost."""

import pytest

from jayx_stream.hub.hub import Hub
from jayx_stream.wire.channels import KlineChannel, OpenOrdersChannel, OrderbookChannel
from jayx_stream.wire.push import Push
from tests.hub.reader import CountingSource, Reader, at_once

BOOK = OrderbookChannel("BTCUSDT")
WIDE_BOOK = OrderbookChannel("BTCUSDT", 100)
KLINE = KlineChannel("BTCUSDT", 60)
BOOKS = ("orderbook", "BTCUSDT")


class Stage:
    """A hub with its source; books push each 125 ms at most, klines as they like."""

    def __init__(self) -> None:
        self.source = CountingSource()
        self.hub = Hub(self.source, {"orderbook": 0.125}, at_once())

    def reader(self, *channels: OrderbookChannel | KlineChannel) -> Reader:
        """One who reads these channels."""
        reader = Reader()
        for channel in channels:
            self.hub.subscribe(reader.outbox, channel, now_s=0.0)
        return reader


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_subscribing_pushes_the_present_state_at_once(stage: Stage) -> None:
    reader = stage.reader(BOOK)
    assert [message["stream"] for message in reader.messages] == ["orderbook:spot:BTCUSDT:1"]


def test_history_comes_before_the_present_state(stage: Stage) -> None:
    reader = Reader()
    stage.hub.subscribe(reader.outbox, KLINE, history=3, now_s=0.0)
    assert [message["seq"] for message in reader.messages] == [1, 2, 3, 4]


def test_subscribing_again_sends_the_state_again_and_makes_no_second_stream(stage: Stage) -> None:
    reader = stage.reader(BOOK, BOOK)
    assert len(reader.frames) == 2
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    assert len(reader.frames) == 3
    stage.hub.unsubscribe(reader.outbox, BOOK)
    assert stage.hub.stream(BOOK) is None


def test_a_change_is_encoded_once_however_many_read_it(stage: Stage) -> None:
    readers = [stage.reader(BOOK) for _ in range(5)]
    stage.source.asked.clear()
    stage.hub.touch(BOOKS)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    assert stage.source.asked == [BOOK]
    assert len({id(reader.frames[-1]) for reader in readers}) == 1


def test_each_stream_of_a_topic_is_pushed(stage: Stage) -> None:
    reader = stage.reader(BOOK, WIDE_BOOK)
    stage.source.asked.clear()
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    assert stage.source.asked == [BOOK, WIDE_BOOK]
    assert len(reader.frames) == 4


def test_a_topic_without_readers_costs_no_encoding(stage: Stage) -> None:
    stage.reader(KLINE)
    stage.source.asked.clear()
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(1.0) is None
    assert stage.source.asked == []
    assert stage.hub.streams(BOOKS) == ()


def test_no_state_is_pushed_more_often_than_its_interval_allows(stage: Stage) -> None:
    reader = stage.reader(BOOK)
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(5.0) is None
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(5.0625) == 5.125
    assert len(reader.frames) == 2
    assert stage.hub.flush(5.125) is None
    assert len(reader.frames) == 3


def test_the_earliest_of_those_that_wait_is_given(stage: Stage) -> None:
    ether, ethers = OrderbookChannel("ETHUSDT"), ("orderbook", "ETHUSDT")
    stage.reader(BOOK, ether)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    stage.hub.touch(ethers)
    stage.hub.flush(1.0625)
    stage.hub.touch(ethers)
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(1.09375) == 1.125
    assert stage.hub.flush(1.125) == 1.1875
    assert stage.hub.flush(1.25) is None


def test_without_an_interval_every_flush_pushes(stage: Stage) -> None:
    reader = stage.reader(KLINE)
    for _ in range(3):
        stage.hub.touch(("kline", "BTCUSDT"))
        assert stage.hub.flush(1.0) is None
    assert len(reader.frames) == 4


def test_nothing_is_pushed_that_did_not_change(stage: Stage) -> None:
    reader = stage.reader(BOOK)
    assert stage.hub.flush(1.0) is None
    assert len(reader.frames) == 1


def test_what_was_told_in_another_way_is_not_pushed(stage: Stage) -> None:
    reader = stage.reader(BOOK)
    stage.hub.touch(BOOKS)
    stream = stage.hub.stream(BOOK)
    assert stream is not None
    stream.changed = False
    assert stage.hub.flush(1.0) is None
    assert len(reader.frames) == 1
    assert not stage.hub._changed


def test_who_unsubscribed_is_told_nothing_more(stage: Stage) -> None:
    reader, other = stage.reader(BOOK, KLINE), stage.reader(BOOK)
    stage.hub.unsubscribe(reader.outbox, BOOK)
    stage.hub.unsubscribe(reader.outbox, BOOK)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    assert len(reader.frames) == 2
    assert len(other.frames) == 2


def test_unsubscribing_what_one_never_had_changes_nothing(stage: Stage) -> None:
    reader, stranger = stage.reader(BOOK), Reader()
    stage.hub.unsubscribe(stranger.outbox, BOOK)
    stage.hub.leave(stranger.outbox)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    assert len(reader.frames) == 2


def test_nothing_is_remembered_of_those_who_left(stage: Stage) -> None:
    readers = [stage.reader(BOOK, WIDE_BOOK, KLINE) for _ in range(3)]
    stage.hub.touch(BOOKS)
    stage.hub.unsubscribe(readers[0].outbox, BOOK)
    for reader in readers:
        stage.hub.leave(reader.outbox)
    assert stage.hub.flush(1.0) is None
    # White box on purpose: what is left behind here grows for as long as the server lives.
    for name in ("_streams", "_topics", "_changed", "_read_by"):
        assert not getattr(stage.hub, name), name


def test_a_reader_that_gives_up_does_not_disturb_the_others(stage: Stage) -> None:
    first, slow, last = (Reader(queue_bytes=1, queue_bytes_max=1) for _ in range(3))
    slow.when_given_up = lambda: stage.hub.leave(slow.outbox)
    for reader in (first, slow, last):
        stage.hub.subscribe(reader.outbox, KLINE, now_s=0.0)
    slow.stop()
    stream = stage.hub.stream(KLINE)
    assert stream is not None
    for push in stage.source.history(KLINE, 2):
        stream.spread(push)
    assert [len(reader.frames) for reader in (first, slow, last)] == [3, 1, 3]
    assert stream.readers == 2


def test_the_only_reader_may_give_up_while_it_is_told(stage: Stage) -> None:
    slow = Reader(queue_bytes=1, queue_bytes_max=1)
    slow.when_given_up = lambda: stage.hub.leave(slow.outbox)
    slow.stop()
    stage.hub.subscribe(slow.outbox, KLINE, history=5, now_s=0.0)
    assert stage.hub.stream(KLINE) is None
    stage.hub.touch(("kline", "BTCUSDT"))
    assert stage.hub.flush(1.0) is None


def test_the_first_push_counts_for_the_interval_too(stage: Stage) -> None:
    reader = Reader()
    stage.hub.subscribe(reader.outbox, BOOK, now_s=5.0)
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(5.05) == 5.125
    assert len(reader.frames) == 1
    assert stage.hub.flush(5.125) is None
    assert len(reader.frames) == 2


def test_streams_that_change_all_the_time_fall_into_step(stage: Stage) -> None:
    ether, ethers = OrderbookChannel("ETHUSDT"), ("orderbook", "ETHUSDT")
    reader = stage.reader(BOOK, ether)
    times_s: list[float] = []
    for tick in range(1000, 2000):
        now_s = tick / 1000
        for topic, begins_s in ((BOOKS, 1.0), (ethers, 1.1)):
            if now_s >= begins_s:
                stage.hub.touch(topic)
        before = len(reader.frames)
        stage.hub.flush(now_s)
        if len(reader.frames) - before == 2:
            times_s.append(now_s)
    assert times_s == [1.25, 1.375, 1.5, 1.625, 1.75, 1.875]


@pytest.mark.parametrize("late_s", [0.0, 0.001, 0.015])
def test_a_late_push_does_not_put_off_those_after_it(stage: Stage, late_s: float) -> None:
    stage.reader(BOOK)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    for number in range(1, 9):
        stage.hub.touch(BOOKS)
        assert stage.hub.flush(1.0 + number * 0.125 + late_s) is None
    assert stage.hub.flushed == 9


def test_after_a_pause_of_the_loop_no_push_is_made_up_for(stage: Stage) -> None:
    stage.reader(BOOK)
    stage.hub.touch(BOOKS)
    stage.hub.flush(1.0)
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(3.17) is None
    stage.hub.touch(BOOKS)
    assert stage.hub.flush(3.17) == 3.3125


# Readers that resume.


ORDERS = OpenOrdersChannel("alice")


def test_who_resumes_is_told_nothing_by_the_stream_before_it_joins(stage: Stage) -> None:
    reader = Reader()
    stage.hub.resume(reader.outbox, ORDERS, 7)
    (catch_up,) = stage.source.resumed
    assert (catch_up.channel, catch_up.seq) == (ORDERS, 7)
    assert stage.hub.streams(ORDERS.topic) == ()
    catch_up.tell(Push("openorders", ORDERS.name, 8, 0, b"{}"), 8)
    catch_up.tell(None, 9)
    stage.hub.join(catch_up)
    assert catch_up.is_over
    (stream,) = stage.hub.streams(ORDERS.topic)
    stream.spread(Push("openorders", ORDERS.name, 10, 0, b"{}"))
    assert [message["seq"] for message in reader.messages] == [8, 10]


def test_who_starts_over_gets_the_state_with_a_reset(stage: Stage) -> None:
    reader = Reader()
    stage.hub.resume(reader.outbox, ORDERS, 7)
    stage.hub.start_over(stage.source.resumed[0])
    assert [message["reset"] for message in reader.messages] == [True]
    stage.hub.subscribe(reader.outbox, ORDERS, now_s=0.0)
    assert "reset" not in reader.messages[1]


@pytest.mark.parametrize("end", ["leave", "unsubscribe", "subscribe", "resume"])
def test_what_a_reader_does_meanwhile_ends_its_catching_up(stage: Stage, end: str) -> None:
    reader = Reader()
    stage.hub.resume(reader.outbox, ORDERS, 7)
    match end:
        case "leave":
            stage.hub.leave(reader.outbox)
        case "resume":
            stage.hub.resume(reader.outbox, ORDERS, 5)
        case "subscribe":
            stage.hub.subscribe(reader.outbox, ORDERS, now_s=0.0)
        case _:
            stage.hub.unsubscribe(reader.outbox, ORDERS)
    first = stage.source.resumed[0]
    assert first.is_over
    for late in (stage.hub.join, stage.hub.start_over):
        with pytest.raises(AssertionError, match="has been left or joined"):
            late(first)
    with pytest.raises(AssertionError, match="has been left or joined"):
        first.tell(None, 8)
    assert len(stage.hub.streams(ORDERS.topic)) == (end == "subscribe")


def test_others_of_a_stream_may_leave_while_one_catches_up(stage: Stage) -> None:
    reader, other = Reader(), Reader()
    stage.hub.resume(reader.outbox, ORDERS, 7)
    stage.hub.subscribe(other.outbox, ORDERS, now_s=0.0)
    stage.hub.leave(other.outbox)
    stage.hub.join(stage.source.resumed[0])
    assert len(stage.hub.streams(ORDERS.topic)) == 1
    stage.hub.leave(reader.outbox)
    assert stage.hub.streams(ORDERS.topic) == ()
