"""One write to each reader and turn, answers first, and a large crowd in slices."""

from collections.abc import Callable

import pytest

from jayx_stream.hub.hub import Hub
from jayx_stream.hub.outbox import DUE_BYTES_MAX
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.channels import KlineChannel, OrderbookChannel
from jayx_stream.wire.push import Push
from tests.hub.reader import CountingSource, Reader, write_many

BOOK = OrderbookChannel("BTCUSDT")
KLINE = KlineChannel("BTCUSDT", 60)


class Loop:
    """Counts how often it is asked for a turn, and holds it when told."""

    def __init__(self) -> None:
        self.woken = 0
        self.turn = Turn(self._wake, write_many)

    def _wake(self) -> None:
        self.woken += 1

    def reader(self, **bounds: int) -> Reader:
        """One of those who are written to."""
        return Reader(turn=self.turn, **bounds)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def event(seq: int, size: int = 10) -> Push:
    """A push that every reader has to get."""
    return Push("openorders", "orders", seq, 0, b'"%s"' % (b"x" * size))


def seqs(reader: Reader) -> list[int]:
    """Of the pushes read; 0 for an answer."""
    return [message.get("seq", 0) for message in reader.messages]


def test_all_that_a_turn_brings_is_one_write_in_order(loop: Loop) -> None:
    reader = loop.reader()
    reader.outbox.offer(event(1))
    reader.outbox.reply(b"{}")
    reader.outbox.offer(event(2))
    assert (reader.frames, loop.woken) == ([], 1)
    loop.turn.drain(10)
    assert (seqs(reader), reader.writes, loop.woken) == ([1, 0, 2], [3], 1)
    reader.outbox.offer(event(3))
    assert loop.woken == 2
    loop.turn.drain(10)
    assert (seqs(reader), reader.writes) == ([1, 0, 2, 3], [3, 1])


def test_however_many_streams_a_reader_has_it_is_written_to_once(loop: Loop) -> None:
    hub, readers = Hub(CountingSource(), {}, loop.turn), [loop.reader() for _ in range(3)]
    for reader in readers:
        for channel in (BOOK, KLINE):
            hub.subscribe(reader.outbox, channel, now_s=0.0)
    loop.turn.drain(10)
    hub.touch(BOOK.topic)
    hub.touch(KLINE.topic)
    hub.flush(1.0)
    loop.turn.drain(10)
    assert [reader.writes for reader in readers] == [[2, 2]] * 3


def test_a_crowd_is_served_in_slices_and_each_asks_for_the_next(loop: Loop) -> None:
    readers = [loop.reader() for _ in range(5)]
    for reader in readers:
        reader.outbox.offer(event(1))
    for before, served in ((0, 2), (2, 4), (4, 5)):
        assert (loop.turn.begun, loop.turn.ended) == (5, before)
        loop.turn.drain(2)
        assert sum(len(reader.frames) for reader in readers) == served
    assert loop.turn.ended == 5
    assert loop.woken == 3


def test_an_answer_does_not_wait_for_the_crowd_but_brings_along_what_is_due(loop: Loop) -> None:
    readers = [loop.reader() for _ in range(5)]
    for reader in readers:
        reader.outbox.offer(event(1))
    readers[-1].outbox.reply(b"{}")
    loop.turn.drain(1)
    assert [seqs(reader) for reader in readers] == [[1], [], [], [], [1, 0]]
    loop.turn.drain(4)
    assert [len(reader.writes) for reader in readers] == [1] * 5


def test_what_comes_between_two_slices_goes_in_the_same_write(loop: Loop) -> None:
    first, last = loop.reader(), loop.reader()
    for seq in (1, 2):
        for reader in (first, last):
            reader.outbox.offer(event(seq))
        loop.turn.drain(1)
    assert (first.writes, last.writes) == ([1], [2])
    loop.turn.drain(1)
    assert (seqs(first), seqs(last)) == ([1, 2], [1, 2])


def test_a_turn_that_brings_much_is_not_kept_until_its_end(loop: Loop) -> None:
    reader = loop.reader()
    for seq in range(1, 12):
        reader.outbox.offer(event(seq, DUE_BYTES_MAX // 10))
    assert reader.writes == [11]
    loop.turn.drain(10)
    assert (seqs(reader), reader.writes) == (list(range(1, 12)), [11])


def test_what_is_due_when_the_reader_falls_behind_goes_before_what_waits(loop: Loop) -> None:
    reader = loop.reader()
    reader.outbox.offer(event(1))
    reader.stop()
    reader.outbox.offer(event(2))
    reader.read()
    loop.turn.drain(10)
    assert seqs(reader) == [1, 2]


@pytest.mark.parametrize("pause", [Reader.stop, Reader.read])
def test_who_is_closed_is_written_nothing_that_was_due(
    loop: Loop, pause: Callable[[Reader], None]
) -> None:
    reader = loop.reader()
    reader.outbox.offer(event(1))
    pause(reader)
    reader.frames.clear()
    reader.outbox.offer(event(2))
    reader.outbox.close()
    reader.outbox.offer(event(3))
    loop.turn.drain(10)
    assert (reader.frames, reader.outbox.waiting_bytes) == ([], 0)
    assert loop.turn.ended == loop.turn.begun


class Sockets:
    """Takes at most so many bytes of what is for a reader; the first has descriptor 0."""

    def __init__(self, *rooms: int) -> None:
        self.rooms = rooms
        self.taken: dict[int, bytes] = {}
        self.turn = Turn(lambda: None, self._write_many)
        self.readers = [Reader(turn=self.turn) for _ in rooms]
        for descriptor, reader in enumerate(self.readers):
            reader.outbox.reach(descriptor)

    def _write_many(self, descriptors: list[int], frames: list[bytes]) -> list[tuple[int, int]]:
        short = []
        for place, (descriptor, frame) in enumerate(zip(descriptors, frames, strict=True)):
            taken = self.taken[descriptor] = frame[: self.rooms[descriptor]]
            if len(taken) < len(frame):
                short.append((place, len(taken)))
        return short


def test_sockets_are_written_to_all_together_and_the_rest_goes_the_usual_way() -> None:
    sockets = Sockets(1000, 20, 0)
    push = event(1)
    for reader in sockets.readers:
        reader.outbox.offer(push)
    sockets.turn.drain(10)
    frame = push.frame(sockets.readers[0].outbox.encoding)
    assert sockets.taken == {0: frame, 1: frame[:20], 2: b""}
    assert [reader.frames for reader in sockets.readers] == [[], [frame[20:]], [frame]]


def test_nothing_overtakes_what_a_slow_reader_has_yet_to_be_written() -> None:
    sockets = Sockets(1000)
    (reader,) = sockets.readers
    reader.outbox.offer(event(1))
    reader.outbox.pause()
    sockets.turn.drain(10)
    assert (sockets.taken, seqs(reader)) == ({}, [1])


def test_a_reader_that_changes_over_is_written_to_at_its_new_socket() -> None:
    sockets = Sockets(1000)
    (reader,) = sockets.readers
    outbox = reader.outbox
    outbox.switch(reader.frames.append, outbox.encoding, bytes)
    outbox.offer(event(1))
    sockets.turn.drain(10)
    assert (sockets.taken, seqs(reader)) == ({}, [1])
    outbox.switch(reader.frames.append, outbox.encoding, bytes, 0)
    outbox.offer(event(2))
    sockets.turn.drain(10)
    assert (len(sockets.taken), seqs(reader)) == (1, [1])


def test_a_write_that_fails_does_not_end_the_turn_of_the_others(loop: Loop) -> None:
    bad, good = loop.reader(), loop.reader()

    def fail(frames: bytes) -> None:
        raise RuntimeError("the transport is closed")

    bad.outbox.write = fail
    for reader in (bad, good):
        reader.outbox.offer(event(1))
    with pytest.raises(RuntimeError):
        loop.turn.drain(1)
    assert (loop.woken, loop.turn.ended) == (2, 1)
    loop.turn.drain(1)
    assert (seqs(good), loop.turn.ended, loop.turn.begun) == ([1], 2, 2)
