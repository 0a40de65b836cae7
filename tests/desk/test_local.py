"""The desk within one process: first come, first served; bounded; never silent."""

import asyncio

import pytest

from jayx_stream.desk.local import LocalDesk
from jayx_stream.model.answers import Done
from jayx_stream.model.commands import OpenAccount
from jayx_stream.model.reasons import ErrorCode, Refused


def command(number: int) -> OpenAccount:
    return OpenAccount(account=f"trader {number}")


def desk(waiting_max: int = 10) -> LocalDesk:
    """One that takes commands; its clock says 7."""
    opened = LocalDesk(lambda: 7, waiting_max)
    opened.open()
    return opened


async def test_commands_are_taken_in_the_order_in_which_they_came() -> None:
    local = desk()
    for number in range(5):
        local.submit(command(number))
    asked = await local.take(10)
    assert [each.command for each in asked] == [command(number) for number in range(5)]
    assert {each.time_ns for each in asked} == {7}


async def test_no_more_are_taken_at_once_than_asked_for() -> None:
    local = desk()
    for number in range(5):
        local.submit(command(number))
    assert [len(await local.take(2)) for _ in range(3)] == [2, 2, 1]


async def test_take_waits_for_the_first_command() -> None:
    local = desk()
    taking = asyncio.create_task(local.take(10))
    await asyncio.sleep(0)
    assert not taking.done()
    local.submit(command(1))
    assert [each.command for each in await taking] == [command(1)]


async def test_a_taker_that_gives_up_takes_nothing_with_it() -> None:
    local = desk()
    taking = asyncio.create_task(local.take(10))
    await asyncio.sleep(0)
    taking.cancel()
    local.submit(command(1))
    local.submit(command(2))
    await asyncio.wait([taking])
    assert taking.cancelled()
    assert [each.command for each in await local.take(10)] == [command(1), command(2)]


async def test_an_answer_reaches_who_asked() -> None:
    local = desk()
    future = local.submit(command(1))
    (asked,) = await local.take(10)
    assert not future.done()
    asked.answer(Done(5))
    assert await future == Done(5)


async def test_an_answer_to_who_left_is_dropped() -> None:
    local = desk()
    local.submit(command(1)).cancel()
    (asked,) = await local.take(10)
    asked.answer(Done(5))
    asked.answer(Done(6))


async def test_before_it_opens_commands_are_refused_at_once() -> None:
    future = LocalDesk(lambda: 7).submit(command(1))
    assert future.done()
    assert future.result() == Refused(ErrorCode.UNAVAILABLE, "the exchange is starting")


async def test_more_than_may_wait_are_refused_at_once() -> None:
    local = desk(waiting_max=2)
    first, second, third = (local.submit(command(number)) for number in range(3))
    assert (first.done(), second.done()) == (False, False)
    assert third.result() == Refused(ErrorCode.UNAVAILABLE, "2 commands are waiting already")
    await local.take(1)
    assert not local.submit(command(4)).done()


async def test_once_closed_it_refuses_but_what_waits_can_be_taken() -> None:
    local = desk()
    local.submit(command(1))
    local.close("over")
    assert local.submit(command(2)).result() == Refused(ErrorCode.UNAVAILABLE, "over")
    assert [each.command for each in await local.take(10)] == [command(1)]
    assert await local.take(10) == []


async def test_closing_wakes_who_waits() -> None:
    local = desk()
    taking = asyncio.create_task(local.take(10))
    await asyncio.sleep(0)
    local.close("over")
    assert await taking == []


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_all_that_wait_can_be_refused(count: int) -> None:
    local = desk()
    futures = [local.submit(command(number)) for number in range(count)]
    local.close("over")
    local.refuse_waiting("broken")
    assert [each.result() for each in futures] == [Refused(ErrorCode.UNAVAILABLE, "broken")] * count
    assert await local.take(10) == []
