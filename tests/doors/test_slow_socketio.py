"""A Socket.IO client that never reads costs bounded memory, over either transport (protocol §10)."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

from jayx_stream.doors.carriers import POLL_BYTES
from jayx_stream.doors.engine_client import EngineClient
from tests.doors.engineio import connect_polling, event_of
from tests.doors.raw import CLOSE, RawClient, connect, frame, head, shake_hands, text
from tests.doors.running import Running, configured, limits, venue
from tests.doors.test_slow_readers import FRAME_BYTES_MAX, place, shrink_send_buffer
from tests.doors.trader import ALICE

ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT"}
OPENORDERS = {"category": "spot", "apiKey": ALICE.key}
QUEUE_BYTES, QUEUE_BYTES_MAX = 30_000, 60_000
SMALL = limits(queue_bytes=QUEUE_BYTES, queue_bytes_max=QUEUE_BYTES_MAX, drain_s=1)


def the_session(running: Running) -> EngineClient:
    [session] = running.venue._socketio.sessions.values()
    return session


def shrink_http_send_buffers(running: Running) -> None:
    """The kernel would take a whole answer."""
    listener = running.venue._listener
    assert listener is not None
    for connection in listener._server.server_state.connections:
        transport = getattr(connection, "transport", None)
        if transport is not None:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@contextlib.asynccontextmanager
async def slow_websocket(
    running: Running, event: str, message: dict[str, str]
) -> AsyncIterator[RawClient]:
    """A client that subscribed over WebSocket and then stopped reading."""
    path = "/socket.io/?EIO=4&transport=websocket"
    async with await shake_hands(running.port, path, receive_buffer=4096) as client:
        [connection] = running.connections
        shrink_send_buffer(connection)
        assert (await client.text()).startswith("0{")
        await client.send(text("40"))
        assert (await client.text()).startswith("40{")
        await client.send(text(f"42{json.dumps([event, message])}"))
        await client.text()
        yield client


async def test_a_websocket_that_is_not_read_is_given_the_newest_state() -> None:
    async with venue(configured(SMALL)) as running:
        async with slow_websocket(running, "orderbook", ORDERBOOK) as client:
            session, most = the_session(running), 0
            for ticks in range(1, 601):
                seq = await place(running, ticks)
                most = max(most, session.waiting_bytes)
            assert most <= QUEUE_BYTES + FRAME_BYTES_MAX
            merged, newest = 0, 0
            while newest < seq:
                [_, _, rest] = event_of(await client.text())
                merged, newest = merged + rest.get("merged", 0), rest["seq"]
            assert merged > 0


async def test_a_websocket_for_which_too_much_waits_is_closed() -> None:
    async with venue(configured(SMALL)) as running:
        async with slow_websocket(running, "openorders", OPENORDERS) as client:
            session, most, ticks = the_session(running), 0, 1
            while not session.engine.is_over:
                await place(running, ticks)
                most, ticks = max(most, session.waiting_bytes), ticks + 1
            assert QUEUE_BYTES_MAX - FRAME_BYTES_MAX < most <= QUEUE_BYTES_MAX
            assert await client.closed_with() == 4008
        assert not running.venue._socketio.sessions


async def test_a_session_that_is_never_polled_is_given_the_newest_state() -> None:
    async with venue(configured(SMALL)) as running, running.http() as http:
        poller = await connect_polling(http)
        await poller.send(f"42{json.dumps(['orderbook', ORDERBOOK])}")
        session, most = the_session(running), 0
        for ticks in range(1, 201):
            seq = await place(running, ticks)
            most = max(most, session.waiting_bytes)
        assert QUEUE_BYTES - FRAME_BYTES_MAX < most <= QUEUE_BYTES + FRAME_BYTES_MAX
        [_, _, rest] = await poller.event()
        assert rest["seq"] == seq
        assert rest["merged"] > 0
        await poller.close()


async def test_a_session_that_is_never_polled_ends_when_too_much_waits() -> None:
    async with venue(configured(SMALL)) as running, running.http() as http:
        poller = await connect_polling(http)
        await poller.send(f"42{json.dumps(['openorders', OPENORDERS])}")
        session, most, ticks = the_session(running), 0, 1
        while not session.engine.is_over:
            await place(running, ticks)
            most, ticks = max(most, session.waiting_bytes), ticks + 1
        assert QUEUE_BYTES_MAX - FRAME_BYTES_MAX < most <= QUEUE_BYTES_MAX
        assert (await poller.get()).text == "1"
        assert await poller.is_over()


async def test_an_answer_that_is_not_read_is_the_only_one_on_its_way() -> None:
    many = limits(drain_s=1, queue_bytes=0, queue_bytes_max=0)
    async with venue(configured(many)) as running, running.http() as http:
        poller = await connect_polling(http)
        await poller.send(f"42{json.dumps(['openorders', OPENORDERS])}")
        session = the_session(running)
        ticks = 1
        while session.waiting_bytes < 1_000_000:
            await place(running, ticks)
            ticks += 1
        async with await connect(running.port, receive_buffer=4096) as unread:
            waiting = session.waiting_bytes
            shrink_http_send_buffers(running)
            await unread.send(head(poller.query, {"Host": "x"}))
            while session.waiting_bytes == waiting:
                await asyncio.sleep(0)
            assert waiting - session.waiting_bytes <= POLL_BYTES + FRAME_BYTES_MAX
            answer = await poller.get()
            assert answer.json() == {"code": 3, "message": "two GETs at once"}
            assert session.engine.is_over
            assert session.waiting_bytes == 0


async def test_a_websocket_that_leaves_is_forgotten() -> None:
    async with venue(configured(SMALL)) as running:
        async with slow_websocket(running, "orderbook", ORDERBOOK) as client:
            await client.send(frame(CLOSE))
            assert await client.closed_with() == 0
        while running.venue._door.connections:
            await asyncio.sleep(0)
        assert not running.venue._socketio.sessions
