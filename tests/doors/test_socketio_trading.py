"""Orders over Socket.IO: the same as over the raw door, whatever carries the session (protocol §8, §9)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doors.engineio import Poller, upgrade
from tests.doors.running import Running, venue
from tests.doors.socketio_trader import TRANSPORTS, SocketTrader, connected, socket_logged_in
from tests.doors.stream_trader import HeldJournal, logged_in, login, order
from tests.doors.trader import ALICE, BOB, READER

pytestmark = pytest.mark.asyncio(loop_scope="module")

over_each = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with venue() as made:
        yield made


async def leave(trader: SocketTrader) -> None:
    """End the session: a stop would wait for whoever has not been told of it."""
    await trader.client.close()


@over_each
async def test_orders_are_answered_to_the_callback_as_over_rest(
    running: Running, transport: str
) -> None:
    async with (
        connected(running, transport) as trader,
        running.traders() as (alice, _),
    ):
        data, _ = await trader.done("login", login())
        assert data == {
            "account": "alice",
            "permissions": ["read", "trade"],
            "cancelOnDisconnect": False,
        }
        placed, seq = await trader.done("order", order(clientOrderId=transport))
        assert (placed["state"], seq) == ("NEW", running.venue.projections.seq)
        assert (await alice.done("GET", f"order?id={placed['id']}"))[0] == placed
        smaller, _ = await trader.done("amend", {"id": placed["id"], "lots": 3})
        assert smaller["resd"] == 3
        gone, _ = await trader.done("cancel", {"clientOrderId": transport})
        assert gone["state"] == "CANCELED"
        for _ in range(2):
            await trader.done("order", order())
        all_gone, _ = await trader.done("cancelAll", {"symbol": "BTCUSDT"})
        assert [each["state"] for each in all_gone] == ["CANCELED"] * 2
        await leave(trader)


@over_each
async def test_what_the_raw_door_refuses_is_refused_in_the_same_words(
    running: Running, transport: str
) -> None:
    asked: list[tuple[str, object]] = [
        ("login", {"apiKey": ALICE.key}),
        ("order", order()),
        ("order", None),
        ("cancel", {"id": 999}),
    ]
    wrong: list[tuple[str, object]] = [
        ("order", order(lots=0)),
        ("order", order(symbol="DOGE")),
        ("order", order(lots=10**15)),
        ("amend", {"lots": 1}),
        ("cancel", {"id": 999}),
        ("cancelAll", {"symbol": "DOGE"}),
        ("order", 7),
    ]
    async with (
        await running.raw() as client,
        logged_in(running, BOB) as raw,
        connected(running, transport) as trader,
    ):
        stranger = type(raw)(client)
        for event, message in asked:
            assert await trader.refusal(event, message) == await stranger.refusal(event, message)
        assert (await trader.refusal("login", login(READER)))[0] == "FORBIDDEN"
        await trader.done("login", login(BOB))
        for event, message in wrong:
            assert await trader.refusal(event, message) == await raw.refusal(event, message)
        await leave(trader)


@over_each
async def test_many_orders_at_once_are_done_in_the_order_sent(
    running: Running, transport: str
) -> None:
    async with socket_logged_in(running, transport, BOB) as trader:
        ids = [await trader.send("order", order(lots)) for lots in range(1, 31)]
        ids.append(await trader.send("cancelAll", {}))
        told = [await trader.answer(each) for each in ids]
        seqs = [each["seq"] for each in told]
        assert seqs == sorted(seqs)
        assert [each["resd"] for each in (one["data"] for one in told[:-1])] == list(range(1, 31))
        assert len(told[-1]["data"]) == 30
        await leave(trader)


@over_each
async def test_without_a_callback_only_refusals_are_told(running: Running, transport: str) -> None:
    async with socket_logged_in(running, transport) as trader:
        await trader.client.send('42["cancelAll",{}]')
        await trader.client.send('42["cancel",{"id":999}]')
        [name, message] = await trader.client.event()
        assert (name, message["code"]) == ("error", "UNKNOWN_ORDER")
        assert message["request"] == {"event": "cancel", "message": {"id": 999}}
        await leave(trader)


async def test_a_login_outlives_the_change_to_a_websocket(running: Running) -> None:
    async with socket_logged_in(running, "polling", cancelOnDisconnect=True) as trader:
        placed, _ = await trader.done("order", order())
        assert isinstance(trader.client, Poller)
        trader.client = await upgrade(trader.client, running.port)
        smaller, _ = await trader.done("amend", {"id": placed["id"], "lots": 1})
        assert smaller["state"] == "NEW"
        await trader.done("cancel", {"id": placed["id"]})
        await leave(trader)


async def test_an_answer_that_is_due_at_the_change_comes_over_the_websocket() -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as running:
        async with socket_logged_in(running, "polling") as trader:
            assert isinstance(trader.client, Poller)
            journal.hold()
            asked = await trader.send("order", order())
            await journal.appending.wait()
            trader.client = await upgrade(trader.client, running.port)
            journal.released.set()
            assert (await trader.answer(asked))["code"] == "OK"
            await leave(trader)


@over_each
async def test_a_new_connect_begins_without_a_login(running: Running, transport: str) -> None:
    async with socket_logged_in(running, transport) as trader:
        await trader.client.send("41")
        await trader.client.send("40")
        assert (await trader.client.packet()).startswith("40{")
        assert (await trader.refusal("order", order()))[0] == "UNAUTHORIZED"
        await leave(trader)


@over_each
async def test_an_answer_is_not_told_to_who_disconnected_before_it(transport: str) -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as running:
        async with socket_logged_in(running, transport) as trader:
            journal.hold()
            await trader.send("order", order(clientOrderId="orphan"))
            await journal.appending.wait()
            await trader.client.send("41")
            await trader.client.send("40")
            assert (await trader.client.packet()).startswith("40{")
            journal.released.set()
            async with running.traders() as (alice, _):
                found, _ = await alice.done("GET", "order?clientOrderId=orphan")
            assert found["state"] == "NEW"
            await trader.client.send('429["ping",{}]')
            assert (await trader.client.packet()).startswith('439[{"ts":')
            await leave(trader)


@over_each
async def test_a_stop_waits_for_an_answer_that_is_due_and_takes_no_more(transport: str) -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as running:
        async with socket_logged_in(running, transport) as trader:
            journal.hold()
            asked = await trader.send("order", order())
            await journal.appending.wait()
            stopping = asyncio.create_task(running.venue.stop())
            [name, told] = await trader.client.event()
            assert (name, told["code"]) == ("notice", "CLOSING")
            [session] = running.venue._socketio.sessions.values()
            while session._is_listening:
                await asyncio.sleep(0.001)
            await trader.send("order", order(clientOrderId="too late"))
            journal.released.set()
            assert (await trader.answer(asked))["code"] == "OK"
            if isinstance(trader.client, Poller):
                assert await trader.client.packet() == "1"
            else:
                assert await trader.client.closed_with() == 1001
            await stopping
    assert len(list(running.venue.projections.orders.open_of("alice", None))) == 1
