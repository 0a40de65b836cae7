"""Compressed pushes over Socket.IO: the WebSocket that carries a session decides (protocol §8)."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.doors.deflating import BOOK, OFFER, deflated_frame, furnish, is_deflated, text_of
from tests.doors.engineio import SOCKETIO, Poller, connect_polling, event_of
from tests.doors.raw import RawClient, shake_hands, text
from tests.doors.running import Running, configured, venue
from tests.doors.test_slow_readers import place
from tests.doors.trader import ALICE

SUBSCRIBE = f"42{json.dumps(['orderbook', BOOK])}"
POSITIONS = {"category": "spot", "apiKey": ALICE.key}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue(configured(deflate=True)) as served:
        yield served


async def connected(running: Running, offer: str | None) -> RawClient:
    """A client over WebSocket alone, in the main namespace."""
    path = f"{SOCKETIO}?EIO=4&transport=websocket"
    client = await shake_hands(running.port, path, offer=offer)
    assert not is_deflated(await client.frame())
    await client.send(text("40"))
    assert not is_deflated(await client.frame())
    return client


async def upgraded(running: Running, poller: Poller, offer: str | None) -> RawClient:
    """The session that was polled, over WebSocket from now on."""
    client = await shake_hands(
        running.port, f"{poller.query}".replace("polling", "websocket"), offer=offer
    )
    await client.send(text("2probe"))
    assert await client.text() == "3probe"
    await client.send(text("5"))
    return client


async def test_two_clients_get_the_very_same_compressed_frame(running: Running) -> None:
    await furnish(running)
    async with await connected(running, OFFER) as one, await connected(running, OFFER) as other:
        for client in (one, other):
            await client.send(text(SUBSCRIBE))
            assert is_deflated(await client.frame())
        async with await connected(running, None) as plain:
            await plain.send(text(SUBSCRIBE))
            assert not is_deflated(await plain.frame())
            seq = await place(running, 1100)
            frame, same, whole = [await each.frame() for each in (one, other, plain)]
    assert frame == same
    assert is_deflated(frame)
    assert text_of(frame) == text_of(whole)
    assert event_of(text_of(frame).decode())[2]["seq"] == seq


async def test_what_is_an_accounts_own_is_plain(running: Running) -> None:
    await furnish(running)
    async with await connected(running, OFFER) as client:
        await client.send(text(f"421{json.dumps(['openorders', POSITIONS])}"))
        for _ in range(2):
            assert not is_deflated(await client.frame())


async def test_a_compressed_event_is_done(running: Running) -> None:
    async with await connected(running, OFFER) as client:
        await client.send(deflated_frame(b'427["ping"]'))
        assert (await client.text()).startswith('437[{"ts":')


@pytest.mark.parametrize("offer", [OFFER, None])
async def test_an_upgrade_makes_its_own_agreement(running: Running, offer: str | None) -> None:
    await furnish(running)
    async with running.http() as http:
        poller = await connect_polling(http)
        await poller.send(SUBSCRIBE)
        await poller.event()
        waiting = await place(running, 1100)
        async with await upgraded(running, poller, offer) as client:
            for seq in (waiting, await place(running, 1101)):
                frame = await client.frame()
                assert is_deflated(frame) == (offer is not None)
                assert event_of(text_of(frame).decode())[2]["seq"] == seq
