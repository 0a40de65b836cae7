"""What is counted while streams are spread is what their readers got."""

from jayx_stream.hub.counts import Histogram
from jayx_stream.hub.hub import Hub
from jayx_stream.hub.outbox import Outbox
from jayx_stream.wire.channels import OrderbookChannel, PositionsChannel
from jayx_stream.wire.push import Encoding
from tests.hub.reader import CountingSource, Reader, at_once

BOOK = OrderbookChannel("BTCUSDT", 1, 50)
POSITIONS = PositionsChannel("alice")


def spread(hub: Hub) -> None:
    hub.touch(BOOK.topic)
    hub.flush(0.0)


def test_each_value_is_counted_under_the_least_bound_that_is_not_below_it() -> None:
    histogram = Histogram((1.0, 2.0, 5.0))
    for value in (0.0, 1.0, 1.5, 2.0, 4.0, 5.0, 5.1, 100.0):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 2, 2]
    assert histogram.sum == 118.6


def test_pushes_and_bytes_are_those_that_the_readers_got() -> None:
    hub = Hub(CountingSource(), {}, at_once())
    readers = [Reader() for _ in range(3)]
    for reader in readers:
        hub.subscribe(reader.outbox, BOOK, now_s=0.0)
    hub.subscribe(readers[0].outbox, POSITIONS, now_s=0.0)
    spread(hub)
    hub.leave(readers[2].outbox)
    spread(hub)
    got = [frame for reader in readers for frame in reader.frames]
    book = [frame for frame in got if BOOK.name.encode() in frame]
    assert (hub.counts["orderbook"].pushes, len(book)) == (8, 8)
    assert hub.counts["orderbook"].bytes == sum(map(len, book))
    assert hub.counts["positions"].pushes == 1
    assert hub.flushed == 2


def test_bytes_are_those_of_each_readers_own_encoding() -> None:
    hub, got = Hub(CountingSource(), {}, at_once()), list[bytes]()
    for encoding in (Encoding(bytes, envelope=True), Encoding(bytes, envelope=False)):
        outbox = Outbox(
            got.append, lambda: None, encoding, hub.turn, queue_bytes=0, queue_bytes_max=0
        )
        hub.subscribe(outbox, BOOK, now_s=0.0)
        hub.subscribe(outbox, BOOK, now_s=0.0)
    spread(hub)
    assert hub.counts["orderbook"].bytes == sum(map(len, got))
    assert hub.counts["orderbook"].pushes == 6


def test_every_push_that_a_slow_reader_never_gets_is_counted_as_merged() -> None:
    hub, frames = Hub(CountingSource(), {}, at_once()), list[bytes]()
    outbox = Outbox(
        frames.append,
        lambda: None,
        Encoding(bytes, envelope=True),
        hub.turn,
        queue_bytes=1,
        queue_bytes_max=0,
        counts=hub.counts,
    )
    hub.subscribe(outbox, BOOK, now_s=0.0)
    outbox.pause()
    for _ in range(10):
        spread(hub)
    outbox.resume()
    assert len(frames) == 2
    assert hub.counts["orderbook"].merged == 9
    assert hub.counts["orderbook"].pushes == len(frames) + 9


def test_what_a_resuming_reader_is_told_is_counted() -> None:
    source = CountingSource()
    hub, reader = Hub(source, {}, at_once()), Reader()
    hub.resume(reader.outbox, POSITIONS, 0)
    source.resumed[0].tell(source.present(POSITIONS), 1)
    source.resumed[0].tell(None, 2)
    hub.join(source.resumed[0])
    assert hub.counts["positions"].pushes == len(reader.frames) == 1
    assert hub.counts["positions"].bytes == len(reader.frames[0])
