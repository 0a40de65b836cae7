"""When what is due goes out: the first at once, then in slices; and no state before the last is written."""

import asyncio

from jayx_stream.app.pace import READERS_A_SLICE, Pace
from jayx_stream.wire.channels import KlineChannel
from tests.hub.reader import CountingSource, Reader

KLINE = KlineChannel("BTCUSDT", 60)
CROWD = 2 * READERS_A_SLICE + 1


class Stage:
    """A crowd that reads one stream, and has had its first state."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.pace = Pace(CountingSource(), {}, lambda: self.now_ns)
        self.turn = self.pace.hub.turn
        self.readers = [Reader(turn=self.turn) for _ in range(CROWD)]
        for reader in self.readers:
            self.pace.hub.subscribe(reader.outbox, KLINE, now_s=0.0)

    async def quiet(self) -> None:
        """Until all that is due has been written."""
        while self.turn.ended < self.turn.begun:
            await asyncio.sleep(0)

    def push(self) -> None:
        """The kline changed, by a command that came now."""
        self.pace.hub.touch(KLINE.topic)
        self.pace.flush()
        self.pace.told(self.now_ns)

    @property
    def written(self) -> int:
        return sum(len(reader.frames) for reader in self.readers)


async def test_the_first_slice_is_written_at_once_and_the_loop_goes_on_between_the_others() -> None:
    stage = Stage()
    await stage.quiet()
    assert stage.written == CROWD
    stage.push()
    assert stage.written == CROWD + READERS_A_SLICE
    await asyncio.sleep(0)
    assert stage.written == CROWD + 2 * READERS_A_SLICE
    await stage.quiet()
    assert stage.written == 2 * CROWD


async def test_states_are_pushed_no_faster_than_they_are_written() -> None:
    stage = Stage()
    await stage.quiet()
    for _ in range(100):
        stage.push()
        await asyncio.sleep(0)
    await stage.quiet()
    last = [reader.messages[-1]["seq"] for reader in stage.readers]
    assert set(last) == {max(last)}
    assert all(writes == 1 for reader in stage.readers for writes in reader.writes)
    pushes = len(stage.readers[0].frames)
    assert 3 < pushes < 100
    assert {len(reader.frames) for reader in stage.readers} == {pushes}


async def test_a_batch_is_told_once_the_last_reader_is_written_to() -> None:
    stage = Stage()
    await stage.quiet()
    pace = stage.pace
    stage.push()
    assert (sum(pace.fan_out_s.counts), sum(pace.event_lag_s.counts)) == (0, 0)
    stage.now_ns = 3_000_000_000
    await stage.quiet()
    assert sum(pace.fan_out_s.counts) == 1
    assert (sum(pace.event_lag_s.counts), pace.event_lag_s.sum) == (1, 3.0)


async def test_a_batch_that_nobody_reads_is_told_at_once() -> None:
    pace = Pace(CountingSource(), {}, lambda: 2_000_000_000)
    pace.hub.touch(KLINE.topic)
    pace.flush()
    pace.told(1_000_000_000)
    assert sum(pace.fan_out_s.counts) == 0
    assert pace.event_lag_s.sum == 1.0
