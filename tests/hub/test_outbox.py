"""What waits for a slow reader: in order, merged to the newest, bounded (protocol §10)."""

from collections.abc import Callable, Hashable

import pytest

from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.push import FRAMES_KEPT, Encoding, Push
from tests.hub.reader import Reader, at_once

FRAME_BYTES = 1000
"""Of every push here, roughly."""


def state(seq: int, key: Hashable = "book", stream: str = "book") -> Push:
    """A push that a later one of the same key makes needless."""
    return Push("orderbook", stream, seq, 0, b'"%s"' % (b"x" * 930), merge_key=key)


def event(seq: int, stream: str = "orders") -> Push:
    """A push that every reader has to get."""
    return Push("openorders", stream, seq, 0, b'"%s"' % (b"x" * 930))


def seqs(reader: Reader) -> list[int]:
    """Of all pushes read, in order."""
    return [message["seq"] for message in reader.messages if "seq" in message]


def merged(reader: Reader) -> list[int]:
    """How many went into each push read."""
    return [message.get("merged", 0) for message in reader.messages]


def test_a_reader_that_keeps_up_gets_everything_at_once() -> None:
    reader = Reader(queue_bytes=1, queue_bytes_max=1)
    for seq in range(1, 6):
        reader.outbox.offer(state(seq))
        assert seqs(reader)[-1] == seq
    reader.outbox.reply(b'{"event":"pong"}')
    assert reader.frames[-1] == b'{"event":"pong"}'
    assert reader.outbox.waiting_bytes == 0


def test_while_paused_everything_waits_in_order() -> None:
    reader = Reader(queue_bytes=100 * FRAME_BYTES)
    reader.stop()
    reader.outbox.offer(state(1))
    reader.outbox.offer(event(2))
    reader.outbox.reply(b"{}")
    reader.outbox.offer(state(3))
    assert reader.frames == []
    reader.read()
    assert [message.get("seq") for message in reader.messages] == [1, 2, None, 3]
    assert merged(reader) == [0, 0, 0, 0]


def test_what_comes_while_the_queue_is_emptied_waits_behind_it() -> None:
    reader = Reader()
    reader.stop()
    for seq in (1, 2, 3):
        reader.outbox.offer(state(seq))
    reader.read(1)
    reader.outbox.offer(state(4))
    assert seqs(reader) == [1]
    reader.read()
    assert seqs(reader) == [1, 2, 3, 4]


def test_beyond_queue_bytes_states_are_merged_to_the_newest() -> None:
    reader = Reader(queue_bytes=3 * FRAME_BYTES)
    reader.stop()
    for seq in range(1, 11):
        reader.outbox.offer(state(seq))
    assert reader.outbox.waiting_bytes < 2 * FRAME_BYTES
    reader.read()
    assert (seqs(reader), merged(reader)) == ([10], [9])


def test_readers_who_fell_behind_together_share_what_stands_for_their_pushes() -> None:
    framed: list[bytes] = []

    def framing(text: bytes) -> bytes:
        framed.append(text)
        return text

    encoding = Encoding(framing, envelope=True)
    read: list[list[bytes]] = [[] for _ in range(50)]
    outboxes = [
        Outbox(
            each.append,
            each.clear,
            encoding,
            at_once(),
            queue_bytes=3 * FRAME_BYTES,
            queue_bytes_max=0,
        )
        for each in read
    ]
    for outbox in outboxes:
        outbox.pause()
    pushes = [state(seq) for seq in range(1, 11)]
    for push in pushes:
        for outbox in outboxes:
            outbox.offer(push)
    for outbox in outboxes:
        outbox.resume()
    begun_at = 4
    assert len(framed) == len(pushes) + len(pushes[begun_at - 1 :])
    assert {tuple(map(id, each)) for each in read} == {(id(read[0][0]),)}


def test_a_push_keeps_few_frames_however_many_ways_it_was_merged() -> None:
    push = state(1)
    keeping = Encoding(bytes, envelope=True)
    many = [push.frame(keeping, merged) for merged in range(FRAMES_KEPT)]
    encoding = Encoding(bytes, envelope=True)
    alone = [push.frame(encoding, 7) for _ in range(2)]
    assert len(set(many)) == FRAMES_KEPT
    assert alone[0] == alone[1] == many[7]
    assert alone[0] is not alone[1]
    assert push.frame(encoding) is push.frame(encoding), "it is every reader's"


def test_merging_keeps_the_streams_apart_and_counts_for_each() -> None:
    reader = Reader(queue_bytes=3 * FRAME_BYTES)
    reader.stop()
    for seq in range(1, 11):
        stream = "even" if seq % 2 == 0 else "odd"
        reader.outbox.offer(state(seq, stream, stream))
    reader.read()
    assert [(m["stream"], m["seq"], m["merged"]) for m in reader.messages] == [
        ("odd", 9, 4),
        ("even", 10, 4),
    ]


def test_what_may_not_be_merged_is_not() -> None:
    reader = Reader(queue_bytes=2 * FRAME_BYTES)
    reader.stop()
    for seq in range(1, 11):
        reader.outbox.offer(event(seq) if seq % 2 else state(seq))
    reader.outbox.reply(b"{}")
    reader.outbox.reply(b"{}")
    reader.read()
    assert seqs(reader) == [1, 3, 5, 7, 9, 10]
    assert reader.frames[-2:] == [b"{}", b"{}"]
    assert merged(reader)[5] == 4


def test_changes_of_two_klines_are_not_merged() -> None:
    reader = Reader(queue_bytes=FRAME_BYTES)
    reader.stop()
    for seq, minute in ((1, 60), (2, 60), (3, 120), (4, 120)):
        reader.outbox.offer(state(seq, ("BTCUSDT", 60, minute), "kline"))
    reader.read()
    assert (seqs(reader), merged(reader)) == ([2, 4], [1, 1])


def test_merging_ends_when_the_reader_has_caught_up() -> None:
    reader = Reader(queue_bytes=2 * FRAME_BYTES)
    reader.stop()
    for seq in range(1, 6):
        reader.outbox.offer(state(seq))
    reader.read()
    reader.stop()
    for seq in (6, 7):
        reader.outbox.offer(state(seq))
    reader.read()
    assert (seqs(reader), merged(reader)) == ([5, 6, 7], [4, 0, 0])


def test_a_reader_is_given_up_once_and_gets_nothing_more() -> None:
    reader = Reader(queue_bytes=FRAME_BYTES, queue_bytes_max=3 * FRAME_BYTES)
    reader.stop()
    for seq in range(1, 4):
        reader.outbox.offer(event(seq))
        assert reader.given_up == 0
    for seq in range(4, 8):
        reader.outbox.offer(event(seq))
        reader.outbox.reply(b"{}")
    assert reader.given_up == 1
    assert reader.outbox.waiting_bytes == 0
    reader.read()
    assert reader.frames == []


def test_answers_count_for_giving_up() -> None:
    reader = Reader(queue_bytes=FRAME_BYTES, queue_bytes_max=3 * FRAME_BYTES)
    reader.stop()
    for _ in range(4):
        reader.outbox.reply(b"x" * FRAME_BYTES)
    assert reader.given_up == 1


def test_states_alone_never_make_a_reader_be_given_up() -> None:
    reader = Reader(queue_bytes=FRAME_BYTES, queue_bytes_max=FRAME_BYTES)
    reader.stop()
    for seq in range(100):
        reader.outbox.offer(state(seq, seq % 5, f"stream {seq % 5}"))
    assert reader.given_up == 0
    assert reader.outbox.waiting_bytes < 6 * FRAME_BYTES


@pytest.mark.parametrize("make", [state, event])
def test_bounds_of_0_are_off(make: Callable[[int], Push]) -> None:
    reader = Reader(queue_bytes=0, queue_bytes_max=0)
    reader.stop()
    for seq in range(50):
        reader.outbox.offer(make(seq))
    reader.read()
    assert seqs(reader) == list(range(50))


def test_a_closed_outbox_takes_nothing() -> None:
    reader = Reader()
    reader.stop()
    reader.outbox.offer(state(1))
    reader.outbox.close()
    reader.outbox.offer(state(2))
    reader.outbox.reply(b"{}")
    reader.read()
    reader.outbox.offer(state(3))
    assert reader.frames == []
