"""`cancelOnDisconnect`: however a connection ends, its account's open orders are canceled (protocol §9)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.events import CancelReason, OrderCanceled, OrderPlaced
from jayx_stream.wire.channels import ACCOUNT
from tests.doors.raw import BINARY, CLOSE, RawClient, frame, request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.stream_trader import (
    connection_of,
    ends_of,
    events_of,
    logged_in,
    login,
    order,
    revoke,
    watching,
)
from tests.doors.test_slow_readers import cancel, place, shrink_send_buffer
from tests.doors.trader import ALICE, BOB, READER

BOUNDS = limits(queue_bytes=10_000, queue_bytes_max=30_000)


async def client_closes(running: Running, client: RawClient) -> None:
    await client.send(frame(CLOSE, b"\x03\xe8"))
    assert await client.closed_with() == 1000


async def client_leaves(running: Running, client: RawClient) -> None:
    await client.close()


async def client_is_cut(running: Running, client: RawClient) -> None:
    client._writer.transport.abort()


async def client_ends_its_half(running: Running, client: RawClient) -> None:
    client._writer.write_eof()
    await client.ended()


async def client_sends_binary(running: Running, client: RawClient) -> None:
    await client.send(frame(BINARY, b"x"))
    assert await client.closed_with() == 1003


async def client_floods(running: Running, client: RawClient) -> None:
    await client.send(request("ping", {}) * 300)
    assert await client.closed_with() == 4029


async def client_never_reads(running: Running, client: RawClient) -> None:
    """What alice does is told until it is too much."""
    connection = connection_of(running, BOB)
    shrink_send_buffer(connection)
    await client.send(request("openorders", {"apiKey": ALICE.key, "category": "spot"}))
    await client.text()
    placed = 0
    while running.venue.hub.streams((ACCOUNT, "alice")):
        placed += 1
        assert placed < 10_000, "a reader that does not read is never closed"
        await place(running, placed)
        await cancel(running, placed)
    assert await client.closed_with() == 4008


async def server_cuts(running: Running, client: RawClient) -> None:
    connection_of(running, BOB).abort()


async def key_is_revoked(running: Running, client: RawClient) -> None:
    await revoke(running, BOB)
    assert await client.closed_with() == 4001


ENDINGS: list[Callable[[Running, RawClient], Awaitable[None]]] = [
    client_closes,
    client_leaves,
    client_is_cut,
    client_ends_its_half,
    client_sends_binary,
    client_floods,
    client_never_reads,
    server_cuts,
    key_is_revoked,
]


@pytest.mark.parametrize("end", ENDINGS)
async def test_however_the_connection_ends_the_orders_are_canceled_once(
    end: Callable[[Running, RawClient], Awaitable[None]],
) -> None:
    journal = MemoryJournal()
    async with venue(configured(BOUNDS), journal=journal) as running:
        async with running.traders() as (_, bob), watching(running, READER) as watcher:
            by_rest, _ = await bob.place("BUY", 5, 900)
            async with logged_in(running, BOB, cancelOnDisconnect=True) as stream:
                by_stream, _ = await stream.done("order", order())
                await end(running, stream.client)
                wanted = [by_rest["id"], by_stream["id"]]
                assert await ends_of(watcher, 2) == wanted
    canceled = [each for each in await events_of(journal) if isinstance(each, OrderCanceled)]
    assert [each.order_id for each in canceled if each.order_id in wanted] == wanted
    assert {each.reason for each in canceled} == {CancelReason.BY_OWNER}


async def test_without_it_orders_outlive_their_connection() -> None:
    async with venue() as running:
        async with logged_in(running) as stream:
            placed, _ = await stream.done("order", order())
            await client_closes(running, stream.client)
        async with running.traders() as (alice, _):
            data, _ = await alice.done("GET", "openorders")
        assert [each["id"] for each in data] == [placed["id"]]


async def test_what_was_sent_before_the_goodbye_is_placed_and_then_canceled() -> None:
    async with venue() as running, watching(running) as watcher:
        async with logged_in(running, cancelOnDisconnect=True) as stream:
            orders = b"".join(request("order", order(lots)) for lots in (1, 2, 3))
            await stream.client.send(orders + frame(CLOSE, b"\x03\xe8"))
            await stream.client.closed_with()
        assert len(await ends_of(watcher, 3)) == 3
        assert not list(running.venue.projections.orders.open_of("alice", None))


async def test_the_last_login_decides() -> None:
    async with venue() as running, running.traders() as (alice, bob):
        for who, wanted, left in ((BOB, False, 1), (BOB, True, 0), (ALICE, False, 1)):
            mine, _ = await alice.place("BUY", 1, 10)
            his, _ = await bob.place("BUY", 1, 10)
            async with logged_in(running, cancelOnDisconnect=True) as stream:
                await stream.done("login", login(who, cancelOnDisconnect=wanted))
                await client_closes(running, stream.client)
            assert [each["id"] for each in (await alice.done("GET", "openorders"))[0]] == [
                mine["id"]
            ]
            assert len((await bob.done("GET", "openorders"))[0]) == left
            await alice.cancel(mine["id"])
            await bob.done("DELETE", "orders")
            assert his["id"] > mine["id"]


async def test_a_stop_of_the_server_cancels_before_the_journal_is_closed() -> None:
    journal = MemoryJournal()
    async with venue(journal=journal) as running:
        async with logged_in(running, cancelOnDisconnect=True) as stream:
            for _ in range(3):
                await stream.done("order", order())
            stopping = asyncio.create_task(running.venue.stop())
            assert await stream.client.closed_with() == 1001
            await stopping
    events = await events_of(journal)
    placed = [each.order_id for each in events if isinstance(each, OrderPlaced)]
    assert [each.order_id for each in events if isinstance(each, OrderCanceled)] == placed
    assert len(placed) == 3


async def test_an_exchange_with_too_much_waiting_is_asked_again() -> None:
    async with venue() as running, watching(running) as watcher:
        async with logged_in(running, cancelOnDisconnect=True) as stream:
            placed, _ = await stream.done("order", order())
            desk = running.venue._desk
            waiting_max, desk._waiting_max = desk._waiting_max, 0
            await client_closes(running, stream.client)
        assert list(running.venue.projections.orders.open_of("alice", None))
        desk._waiting_max = waiting_max
        assert await ends_of(watcher, 1) == [placed["id"]]
