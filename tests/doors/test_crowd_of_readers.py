"""Many readers of the same streams over sockets: each is told every change, whatever others among them do."""

import asyncio
from contextlib import AsyncExitStack

from jayx_stream.hub.crowd import LARGE
from tests.doors.raw import RawClient, request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.test_slow_readers import place, shrink_send_buffer

BOOK = {"category": "spot", "symbol": "BTCUSDT", "mode": "delta"}
KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
CHANGES = 60


async def reader(running: Running, stack: AsyncExitStack) -> RawClient:
    """One more, of both streams; it has their states."""
    client = await stack.enter_async_context(await running.raw(receive_buffer=4096))
    await client.send(request("orderbook", BOOK) + request("kline", KLINE, 1))
    while (await client.json())["event"] != "ack":
        pass
    return client


async def follow(client: RawClient, last: int) -> int:
    """Read until the book's change of that `seq`: each says which one it follows. Gives how many came."""
    seq, count = None, 0
    while seq != last:
        told = await client.json()
        if told["event"] == "orderbook":
            assert seq is None or told.get("prev", seq) == seq
            seq, count = told["seq"], count + 1
    return count


async def test_each_of_a_crowd_is_told_every_change_while_some_stop_leave_ask_and_come() -> None:
    bounds = limits(connections_per_address=0, queue_bytes=5_000)
    async with venue(configured(bounds)) as running, AsyncExitStack() as stack:
        slow = await reader(running, stack)
        shrink_send_buffer(running.connections[0])
        asking, *others = [await reader(running, stack) for _ in range(2 * LARGE)]
        late: list[RawClient] = []
        seq = 0
        for ticks in range(1, CHANGES + 1):
            if ticks % 10 == 0:
                await others.pop(ticks // 2).close()
                late.append(await reader(running, stack))
            if ticks % 7 == 0:
                await asking.send(request("kline", KLINE, ticks))
            seq = await place(running, ticks)
        told = await asyncio.gather(
            *(follow(client, seq) for client in (*others, asking, *late, slow))
        )
        assert set(told[: len(others) + 1]) == {CHANGES}
        assert told[len(others) + 1 : -1] == [
            CHANGES + 1 - each for each in range(10, CHANGES + 1, 10)
        ]
        assert told[-1] < CHANGES
