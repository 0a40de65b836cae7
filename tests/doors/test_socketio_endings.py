"""However a Socket.IO session ends, its account's orders are canceled if that was asked for, and its end
is counted (protocol §8 to §10).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from jayx_stream.doors.engine_client import EngineClient
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.events import CancelReason, OrderCanceled, OrderPlaced
from jayx_stream.wire.channels import ACCOUNT
from jayx_stream.wire.limits import Limits
from tests.doors.engineio import Poller, WebSocketClient
from tests.doors.raw import connect, head, text
from tests.doors.running import Running, configured, limits, venue
from tests.doors.socketio_trader import TRANSPORTS, socket_logged_in
from tests.doors.stream_trader import ends_of as canceled
from tests.doors.stream_trader import events_of, key_id, login, order, revoke, watching
from tests.doors.test_slow_readers import cancel, place
from tests.doors.test_slow_socketio import slow_websocket
from tests.doors.trader import ALICE, BOB

BOUNDS = limits(queue_bytes=10_000, queue_bytes_max=30_000, drain_s=1)
IMPATIENT = limits(ping_after_s=1, pong_within_s=1)

over_each = pytest.mark.parametrize("transport", TRANSPORTS)

OPENORDERS = {"apiKey": ALICE.key, "category": "spot"}

End = tuple[int, str]
"""A close code, and who said it."""


def the_session(running: Running) -> EngineClient:
    [session] = running.venue._socketio.sessions.values()
    return session


async def nobody_is_left(running: Running) -> None:
    """Wait until the session is over for the server, too."""
    async with asyncio.timeout(10):
        while running.venue._door.visitors["socketio"].connections:
            await asyncio.sleep(0.001)


async def nothing_is_open(running: Running, account: str) -> None:
    """Wait until all orders of an account are canceled."""
    async with asyncio.timeout(10):
        while list(running.venue.projections.orders.open_of(account, None)):
            await asyncio.sleep(0.001)


async def poll_to_the_end(poller: Poller) -> None:
    while await poller.packet() != "1":
        pass


# Endings of both transports.


async def leaves(running: Running, client: Poller | WebSocketClient) -> End:
    await client.send("1")
    return 1000, "client"


async def is_cut_by_the_server(running: Running, client: Poller | WebSocketClient) -> End:
    the_session(running).abort()
    return 1006, "nobody"


async def loses_its_key(running: Running, client: Poller | WebSocketClient) -> End:
    await revoke(running, BOB)
    if isinstance(client, WebSocketClient):
        assert await client.closed_with() == 4001
    else:
        await poll_to_the_end(client)
    return 4001, "server"


async def floods_with_pings(running: Running, client: Poller | WebSocketClient) -> End:
    """Ten refusals in a row are enough."""
    if isinstance(client, WebSocketClient):
        for _ in range(300):
            await client.send('42["ping",{}]')
        assert await client.closed_with() == 4029
    else:
        await client.post(*['42["ping",{}]'] * 300)
        await poll_to_the_end(client)
    return 4029, "server"


async def floods_with_pongs(running: Running, client: Poller | WebSocketClient) -> End:
    if isinstance(client, WebSocketClient):
        for _ in range(300):
            await client.send("3")
        assert await client.closed_with() == 4029
    else:
        await client.post(*["3"] * 300)
        await poll_to_the_end(client)
    return 4029, "server"


async def floods_with_acknowledgements(running: Running, client: Poller | WebSocketClient) -> End:
    if isinstance(client, WebSocketClient):
        for _ in range(300):
            await client.send("430[]")
        assert await client.closed_with() == 4029
    else:
        await client.post(*["430[]"] * 300)
        await poll_to_the_end(client)
    return 4029, "server"


async def breaks_the_protocol(running: Running, client: Poller | WebSocketClient) -> End:
    if isinstance(client, WebSocketClient):
        await client.send("9")
        assert await client.closed_with() == 1008
    else:
        assert (await client.post("9")).status_code == 400
    return 1008, "server"


EITHER: list[Callable[[Running, Poller | WebSocketClient], Awaitable[End]]] = [
    leaves,
    is_cut_by_the_server,
    loses_its_key,
    floods_with_pings,
    floods_with_pongs,
    floods_with_acknowledgements,
    breaks_the_protocol,
]


async def check_the_end(
    transport: str,
    end: Callable[[Running, Poller | WebSocketClient], Awaitable[End]],
    bounds: Limits = BOUNDS,
) -> None:
    """Bob's orders, by stream and by REST, are canceled once; and his end is counted as it was."""
    journal = MemoryJournal()
    async with venue(configured(bounds), journal=journal) as running, running.traders() as traders:
        by_rest, _ = await traders[1].place("BUY", 5, 900)
        async with socket_logged_in(running, transport, BOB, cancelOnDisconnect=True) as trader:
            by_stream, _ = await trader.done("order", order())
            ended = await end(running, trader.client)
            await nobody_is_left(running)
            await nothing_is_open(running, "bob")
        wanted = [by_rest["id"], by_stream["id"]]
        counts = running.venue._door.visitors["socketio"].counts
        assert counts.opened == 1
        assert {key for key, count in counts.closed.items() if count} == {ended}
        assert not running.venue._socketio.sessions
    ends = [each for each in await events_of(journal) if isinstance(each, OrderCanceled)]
    assert [each.order_id for each in ends if each.order_id in wanted] == wanted
    assert {each.reason for each in ends} == {CancelReason.BY_OWNER}


@pytest.mark.parametrize("end", EITHER)
@over_each
async def test_however_a_session_ends_the_orders_are_canceled_once(
    transport: str, end: Callable[[Running, Poller | WebSocketClient], Awaitable[End]]
) -> None:
    await check_the_end(transport, end)


@over_each
async def test_a_session_that_answers_no_ping_ends(transport: str) -> None:
    async def is_silent(running: Running, client: Poller | WebSocketClient) -> End:
        await nobody_is_left(running)
        return 1006, "nobody"

    await check_the_end(transport, is_silent, IMPATIENT)


# Endings of one transport.


async def test_a_websocket_that_is_closed_ends_its_session() -> None:
    async def closes(running: Running, client: Poller | WebSocketClient) -> End:
        assert isinstance(client, WebSocketClient)
        await client.close()
        return 1000, "client"

    await check_the_end("websocket", closes)


async def test_a_websocket_that_is_cut_ends_its_session() -> None:
    async def is_cut(running: Running, client: Poller | WebSocketClient) -> End:
        assert isinstance(client, WebSocketClient)
        client.connection.transport.abort()
        return 1006, "nobody"

    await check_the_end("websocket", is_cut)


async def test_a_poll_that_is_cut_ends_its_session() -> None:
    async def is_cut(running: Running, client: Poller | WebSocketClient) -> End:
        assert isinstance(client, Poller)
        async with await connect(running.port) as cut:
            await cut.send(head(client.query, {"Host": "x"}))
            polled = the_session(running).polled
            assert polled is not None
            while polled._asking is None:
                await asyncio.sleep(0.001)
        return 1006, "nobody"

    await check_the_end("polling", is_cut)


async def test_two_polls_at_once_end_their_session() -> None:
    async def polls_twice(running: Running, client: Poller | WebSocketClient) -> End:
        assert isinstance(client, Poller)
        answers = await asyncio.gather(client.get(), client.get())
        assert sorted(each.status_code for each in answers) == [200, 400]
        return 1008, "server"

    await check_the_end("polling", polls_twice)


async def alice_is_busy(running: Running) -> None:
    """So long that whoever is told of it and does not read is closed."""
    placed = 0
    while running.venue.hub.streams((ACCOUNT, "alice")):
        placed += 1
        assert placed < 10_000, "a reader that does not read is never closed"
        await place(running, placed)
        await cancel(running, placed)


async def test_a_session_for_which_too_much_waits_ends() -> None:
    async def is_not_polled(running: Running, client: Poller | WebSocketClient) -> End:
        assert isinstance(client, Poller)
        await client.send(f"42{json.dumps(['openorders', OPENORDERS])}")
        await alice_is_busy(running)
        await poll_to_the_end(client)
        return 4008, "server"

    await check_the_end("polling", is_not_polled)


async def test_a_websocket_for_which_too_much_waits_ends() -> None:
    async with venue(configured(BOUNDS)) as running:
        async with slow_websocket(running, "openorders", OPENORDERS) as client:
            wanted = login(BOB, cancelOnDisconnect=True)
            await client.send(text(f"42{json.dumps(['login', wanted])}"))
            await client.send(text(f"420{json.dumps(['order', order()])}"))
            assert (await client.text()).startswith('430[{"code":"OK"')
            await alice_is_busy(running)
            assert await client.closed_with() == 4008
        await nothing_is_open(running, "bob")
        await nobody_is_left(running)
        assert running.venue._door.visitors["socketio"].counts.closed[4008, "server"] == 1


# What does not end.


@over_each
async def test_a_disconnect_cancels_and_the_session_goes_on(transport: str) -> None:
    async with venue() as running, watching(running) as watcher:
        async with socket_logged_in(running, transport, cancelOnDisconnect=True) as trader:
            placed, _ = await trader.done("order", order())
            await trader.client.send("41")
            assert await canceled(watcher, 1) == [placed["id"]]
            assert running.venue._door.revoke(key_id(ALICE)) == 1, "the watcher reads by it"
            await trader.client.send("40")
            assert (await trader.client.packet()).startswith("40{")
            await trader.ask("ping", {})
            await trader.client.close()


@over_each
async def test_without_it_orders_outlive_their_session(transport: str) -> None:
    async with venue() as running:
        async with socket_logged_in(running, transport) as trader:
            placed, _ = await trader.done("order", order())
            await trader.client.close()
        await nobody_is_left(running)
        async with running.traders() as (alice, _):
            data, _ = await alice.done("GET", "openorders")
        assert [each["id"] for each in data] == [placed["id"]]


@over_each
async def test_a_stop_cancels_before_the_journal_is_closed(transport: str) -> None:
    journal = MemoryJournal()
    async with venue(journal=journal) as running:
        async with socket_logged_in(running, transport, cancelOnDisconnect=True) as trader:
            for _ in range(3):
                await trader.done("order", order())
            stopping = asyncio.create_task(running.venue.stop())
            if isinstance(trader.client, Poller):
                await poll_to_the_end(trader.client)
            else:
                assert await trader.client.closed_with() == 1001
            await stopping
    events = await events_of(journal)
    placed = [each.order_id for each in events if isinstance(each, OrderPlaced)]
    assert [each.order_id for each in events if isinstance(each, OrderCanceled)] == placed
    assert len(placed) == 3
