"""An outbox whose reader changes over to another transport."""

from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.push import Encoding, Push
from tests.hub.reader import at_once

OLD = Encoding(lambda text: b"old " + text, envelope=False)
NEW = Encoding(lambda text: b"new " + text, envelope=False)


def push(payload: bytes, merge_key: str | None = None) -> Push:
    return Push("kline", "k", 1, 1, payload, merge_key=merge_key)


def reframe(frame: bytes) -> bytes:
    return frame.replace(b"old", b"new")


def test_what_waits_goes_the_new_way_in_order() -> None:
    before: list[bytes] = []
    after: list[bytes] = []
    outbox = Outbox(before.append, before.clear, OLD, at_once(), queue_bytes=0, queue_bytes_max=0)
    outbox.offer(push(b"0"))
    outbox.pause()
    outbox.reply(b"old ack")
    outbox.offer(push(b"1"))
    outbox.switch(after.append, NEW, reframe)
    outbox.offer(push(b"2"))
    outbox.resume()
    outbox.offer(push(b"3"))
    assert before == [b"old 0"]
    assert after == [b"new ack", b"new 1", b"new 2", b"new 3"]


def test_what_was_merged_stays_merged_and_the_bytes_are_counted_anew() -> None:
    after: list[bytes] = []
    old = Encoding(lambda text: b"a longer frame of " + text, envelope=True)
    outbox = Outbox(after.append, after.clear, old, at_once(), queue_bytes=50, queue_bytes_max=0)
    outbox.pause()
    for payload in (b"1", b"2", b"3"):
        outbox.offer(push(payload, merge_key="state"))
    new = Encoding(bytes, envelope=True)
    outbox.switch(after.append, new, reframe)
    expected = b'{"event":"kline","message":3,"stream":"k","seq":1,"ts":1,"merged":2}'
    assert outbox.waiting_bytes == len(expected)
    outbox.resume()
    assert after == [expected]
    assert outbox.waiting_bytes == 0
