"""Busy polling: after a batch the loop does not sleep for a while, unless a thread is waited for."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine

from msgspec.structs import replace

from jayx_stream.app.busy_poll import BusyPoll
from jayx_stream.app.config import Config, Server
from jayx_stream.model.answers import Done
from jayx_stream.model.commands import OpenAccount
from tests.app.test_exchange import SlowJournal
from tests.doors.running import configured, venue

LONG_S = 1000
PASSES = 1000
"""In a row, in which a loop that asks the kernel without waiting is awake."""


class Selector(selectors.DefaultSelector):
    """Of a loop, which tells whether it would sleep."""

    def __init__(self) -> None:
        super().__init__()
        self._is_awake: asyncio.Future[bool] | None = None
        self._passes = 0

    async def is_awake(self) -> bool:
        """Whether the loop stays awake, once this is all that there is to do."""
        self._is_awake, self._passes = asyncio.get_running_loop().create_future(), 0
        return await self._is_awake

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._passes += 1
        sleeps = timeout != 0
        if self._is_awake is not None and (sleeps or self._passes > PASSES):
            self._is_awake.set_result(not sleeps)
            self._is_awake, timeout = None, 0
        return super().select(timeout)


def run(case: Callable[[Selector], Coroutine[object, object, None]]) -> None:
    selector = Selector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(case(selector))


def polling(for_s: int) -> Config:
    return replace(configured(), server=Server(port=0, busy_poll_ms=for_s * 1000))


def test_a_loop_that_was_stirred_stays_awake() -> None:
    async def case(selector: Selector) -> None:
        poll = BusyPoll(LONG_S, lambda: True)
        assert not await selector.is_awake()
        poll.stir()
        poll.stir()
        assert await selector.is_awake()

    run(case)


async def test_it_asks_once_a_pass_however_often_it_is_stirred() -> None:
    asked = 0

    def is_free() -> bool:
        nonlocal asked
        asked += 1
        return True

    poll = BusyPoll(LONG_S, is_free)
    for _ in range(PASSES):
        poll.stir()
        await asyncio.sleep(0)
    assert PASSES - 1 <= asked <= PASSES


def test_it_sleeps_when_the_time_is_over() -> None:
    async def case(selector: Selector) -> None:
        BusyPoll(1e-9, lambda: True).stir()
        assert not await selector.is_awake()

    run(case)


def test_it_sleeps_while_a_thread_is_waited_for_until_it_is_stirred_again() -> None:
    async def case(selector: Selector) -> None:
        is_free = True
        poll = BusyPoll(LONG_S, lambda: is_free)
        poll.stir()
        assert await selector.is_awake()
        is_free = False
        assert not await selector.is_awake()
        is_free = True
        assert not await selector.is_awake()
        poll.stir()
        assert await selector.is_awake()

    run(case)


def test_a_venue_stays_awake_after_a_batch_and_sleeps_while_the_journal_writes() -> None:
    async def case(selector: Selector) -> None:
        journal = SlowJournal()
        async with venue(polling(LONG_S), journal=journal) as running:
            assert await selector.is_awake()
            journal.may_append.clear()
            answer = running.venue.submit(OpenAccount(account="carol"))
            assert not await selector.is_awake()
            journal.may_append.set()
            assert isinstance(await answer, Done)
            assert await selector.is_awake()

    run(case)


def test_by_default_a_venue_sleeps_at_once() -> None:
    async def case(selector: Selector) -> None:
        async with venue() as running:
            assert isinstance(await running.venue.submit(OpenAccount(account="carol")), Done)
            assert not await selector.is_awake()

    run(case)
