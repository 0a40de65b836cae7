"""Very many connections are watched by one timer, and keep nothing that they don't need (protocol §10)."""

import asyncio
import gc

from websockets.http11 import Request

from jayx_stream.doors.entrance import EntranceProtocol
from jayx_stream.doors.watching import LOOKS_AT_ONCE, TICK_S, Watch
from tests.doors.raw import DEADLINE_S
from tests.doors.running import configured, limits, venue


class Client:
    """Remembers when it was looked at."""

    def __init__(self) -> None:
        self.looked = asyncio.Event()
        self.at_s = 0.0
        self.looks = 0

    def look(self, now_s: float) -> None:
        self.at_s = now_s
        self.looks += 1
        self.looked.set()

    async def seen(self) -> float:
        async with asyncio.timeout(DEADLINE_S):
            await self.looked.wait()
        return self.at_s


async def test_each_is_looked_at_once_and_not_before_its_time() -> None:
    watch, soon, later = Watch(), Client(), Client()
    now_s = asyncio.get_running_loop().time()
    watch.look_at(later, now_s + 3 * TICK_S)
    watch.look_at(soon, now_s)
    assert await soon.seen() > now_s
    assert await later.seen() >= now_s + 3 * TICK_S
    assert [soon.looks, later.looks] == [1, 1]


async def test_who_is_forgotten_is_not_looked_at() -> None:
    watch, gone, there = Watch(), Client(), Client()
    now_s = asyncio.get_running_loop().time()
    tick = watch.look_at(gone, now_s)
    watch.look_at(there, now_s)
    watch.forget(gone, tick)
    watch.forget(gone, tick)
    await there.seen()
    assert not gone.looks


async def test_who_asks_to_be_looked_at_again_is() -> None:
    watch, other = Watch(), Client()

    class Again(Client):
        def look(self, now_s: float) -> None:
            super().look(now_s)
            if self.looks == 1:
                watch.look_at(self, now_s)
            else:
                watch.look_at(other, now_s)

    again = Again()
    watch.look_at(again, asyncio.get_running_loop().time())
    await other.seen()
    assert again.looks == 2


async def test_no_turn_of_the_loop_looks_at_more_than_a_part_of_a_crowd() -> None:
    watch, loop = Watch(), asyncio.get_running_loop()
    crowd = [Client() for _ in range(2 * LOOKS_AT_ONCE + 1)]
    turns: list[int] = []

    def turn() -> None:
        looked = sum(each.looks for each in crowd)
        if looked:
            turns.append(looked)
        if looked < len(crowd):
            loop.call_soon(turn)

    now_s = loop.time()
    for each in crowd:
        watch.look_at(each, now_s)
    loop.call_soon(turn)
    for each in crowd:
        await each.seen()
    assert turns[:3] == [LOOKS_AT_ONCE, 2 * LOOKS_AT_ONCE, len(crowd)]


async def test_a_connection_keeps_nothing_of_its_request() -> None:
    gc.collect()
    async with venue(configured(limits(connections_per_address=0))) as running:
        async with await running.raw(), await running.raw("?envelope=none"):
            assert len(running.connections) == 2
            kept = [
                each for each in gc.get_objects() if isinstance(each, Request | EntranceProtocol)
            ]
            assert kept == []
