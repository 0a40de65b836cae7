"""A revoked key's Socket.IO sessions end at once, and nobody else's do (protocol §9, §10)."""

import asyncio
import json

import pytest

from tests.doors.engineio import Poller
from tests.doors.running import Running, venue
from tests.doors.socketio_trader import TRANSPORTS, SocketTrader, connected, socket_logged_in
from tests.doors.stream_trader import logged_in, order, revoke
from tests.doors.test_socketio_endings import nobody_is_left, the_session
from tests.doors.trader import ALICE, READER

over_each = pytest.mark.parametrize("transport", TRANSPORTS)


async def read(trader: SocketTrader, key: str) -> None:
    """Subscribe to a private stream, and read its first push."""
    await trader.client.send(f"42{json.dumps(['positions', {'apiKey': key, 'category': 'spot'}])}")
    assert (await trader.client.event())[0] == "positions"


@over_each
async def test_all_sessions_of_a_revoked_key_end_and_no_others(transport: str) -> None:
    async with (
        venue() as running,
        logged_in(running) as raw,
        socket_logged_in(running, transport) as trading,
        connected(running, transport) as reading,
        connected(running, transport) as other,
    ):
        await read(reading, ALICE.key)
        await read(other, READER.key)
        await revoke(running, ALICE)
        assert await raw.client.closed_with() == 4001
        for trader in (trading, reading):
            if isinstance(trader.client, Poller):
                assert await trader.client.packet() == "1"
                assert await trader.client.is_over()
            else:
                assert await trader.client.closed_with() == 4001
        assert (await other.refusal("order", order()))[0] == "UNAUTHORIZED"
        await other.client.close()


async def test_a_revoked_keys_session_that_nobody_polls_is_over_within_a_second() -> None:
    async with venue() as running, socket_logged_in(running, "polling") as trader:
        session = the_session(running)
        await revoke(running, ALICE)
        assert session.engine.is_over
        assert await session_ends_by_itself(running, within_s=1)
        assert isinstance(trader.client, Poller)
        assert await trader.client.is_over()


async def session_ends_by_itself(running: Running, within_s: int) -> bool:
    async with asyncio.timeout(within_s):
        await nobody_is_left(running)
    return True


async def test_a_revoked_keys_session_is_told_nothing_more_and_does_nothing_more() -> None:
    async with venue() as running, running.traders() as (_, bob):
        async with socket_logged_in(running, "polling") as trader:
            await read(trader, ALICE.key)
            await bob.place("SELL", 1, 10_000)
            await revoke(running, ALICE)
            await trader.send("order", order())
            assert isinstance(trader.client, Poller)
            assert (await trader.client.get()).text == "1"
        assert not list(running.venue.projections.orders.open_of("alice", None))
