"""Sessions that are polled: bounds, CORS, and the change to a WebSocket (protocol §2, §8, §10)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jayx_stream.wire.channels import ACCOUNT
from tests.doors.engineio import (
    WebSocketClient,
    connect_polling,
    event_of,
    open_polling,
    upgrade,
    websocket,
)
from tests.doors.raw import connect, head
from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import ALICE

OPENORDERS = {"apiKey": ALICE.key, "category": "spot"}
OPEN = "/socket.io/?EIO=4&transport=polling"
ALLOWED = "https://shop.example.org"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue(configured(limits(drain_s=1), origins=(ALLOWED,))) as served:
        yield served


def event(name: str, message: object) -> str:
    return f"42{json.dumps([name, message])}"


async def wait_until_asked(running: Running, sid: str) -> None:
    """Return once a GET of the session waits for its answer."""
    session = running.venue._socketio.sessions[sid]
    while session.polled is not None and session.polled._asking is None:
        await asyncio.sleep(0)


# Bounds.


async def test_two_posts_at_once_end_the_session(running: Running) -> None:
    async with running.http() as http, await connect(running.port) as slow:
        poller = await connect_polling(http)
        headers = {"Host": "x", "Content-Length": "9"}
        await slow.send(head(poller.query, headers, "POST") + b"42")
        session = running.venue._socketio.sessions[poller.sid]
        while session.polled is not None and not session.polled.is_posting:
            await asyncio.sleep(0)
        assert (await poller.post("3")).status_code == 400
        assert await poller.is_over()


async def test_a_post_over_the_bound_is_refused_and_ends_the_session(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        answer = await poller.post("4" + "x" * 70_000)
        assert answer.status_code == 400
        assert answer.json() == {"code": 3, "message": "the body has more than 65536 bytes"}
        assert answer.headers["connection"] == "close"
        assert await poller.is_over()


async def test_a_post_that_does_not_come_ends_the_session() -> None:
    async with venue(configured(limits(handshake_s=1))) as running, running.http() as http:
        poller = await connect_polling(http)
        async with await connect(running.port) as slow:
            headers = {"Host": "x", "Content-Length": "9"}
            await slow.send(head(poller.query, headers, "POST") + b"42")
            assert b"the body did not come within 1 s" in await slow.ended()
        assert await poller.is_over()


async def test_a_post_that_is_not_utf8_ends_the_session(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        answer = await http.post(poller.query, content=b'42["\xff"]')
        assert answer.status_code == 400
        assert answer.json()["message"] == "invalid start byte at byte 4"
        assert await poller.is_over()


async def test_what_stands_behind_a_breach_is_not_done(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        breached = await poller.post("9", event("openorders", OPENORDERS))
        assert breached.status_code == 400
        assert running.venue.hub.streams((ACCOUNT, "alice")) == ()


async def test_a_get_whose_connection_is_cut_ends_the_session(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        async with await connect(running.port) as cut:
            await cut.send(head(poller.query, {"Host": "x"}))
            await wait_until_asked(running, poller.sid)
        while poller.sid in running.venue._socketio.sessions:
            await asyncio.sleep(0)
        assert not running.venue._door.connections
        assert await poller.is_over()


async def test_nobody_guesses_a_session(running: Running) -> None:
    async with running.http() as http:
        sids = {(await open_polling(http)).sid for _ in range(5)}
        assert len(sids) == 5
        assert all(len(sid) == 22 for sid in sids)
        answer = await http.get(f"{OPEN}&sid={'A' * 22}")
        assert answer.json() == {"code": 1, "message": "Session ID unknown"}


async def test_who_comes_too_late_for_a_pong_finds_no_session(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        # It was due long ago, and nobody has looked since.
        running.venue._socketio.sessions[poller.sid].engine._end_s = 0.0
        answer = await poller.post("3")
        assert answer.json() == {"code": 1, "message": "Session ID unknown"}
        assert not running.venue._socketio.sessions


async def test_a_venue_that_is_not_ready_opens_no_session(running: Running) -> None:
    running.venue.not_ready = "the venue is thinking"
    async with running.http() as http:
        answer = await http.get(OPEN)
        assert answer.status_code == 503
        assert answer.json()["message"] == "the venue is thinking"


# Pages.


async def test_a_page_from_the_list_may_read_the_answer(running: Running) -> None:
    async with running.http() as http:
        for answer in (
            await http.get(OPEN, headers={"Origin": ALLOWED}),
            await http.options(OPEN, headers={"Origin": ALLOWED}),
        ):
            assert answer.is_success
            assert answer.headers["access-control-allow-origin"] == ALLOWED
            assert answer.headers["vary"] == "origin"
            assert "access-control-allow-credentials" not in answer.headers
            assert "set-cookie" not in answer.headers


async def test_the_servers_own_pages_may_and_others_may_not(running: Running) -> None:
    async with running.http() as http:
        assert (await http.get(OPEN, headers={"Origin": running.origin})).status_code == 200
        for method in ("GET", "OPTIONS", "POST"):
            answer = await http.request(method, OPEN, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        assert len(running.venue._socketio.sessions) == 1


async def test_a_refusal_can_be_read_by_a_page_too(running: Running) -> None:
    async with running.http() as http:
        answer = await http.get(f"{OPEN}&sid=nobody", headers={"Origin": ALLOWED})
        assert answer.status_code == 400
        assert answer.headers["access-control-allow-origin"] == ALLOWED


# The change to a WebSocket.


async def place(running: Running, count: int) -> list[int]:
    """Alice's orders, one commit each; gives their seqs."""
    async with running.traders() as (alice, _):
        return [(await alice.place("BUY", 1000, 6684363))[1] for _ in range(count)]


def told(events: list[list[Any]]) -> list[int]:
    return [rest["seq"] for _, _, rest in events]


async def test_an_upgrade_loses_nothing_and_keeps_the_order(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        await poller.send(event("openorders", OPENORDERS))
        assert (await poller.event())[0] == "openorders"
        before = await place(running, 3)
        probing = await websocket(running.port, poller.path, poller.sid)
        await probing.send("2probe")
        assert await probing.raw() == "3probe"
        while_probing = await place(running, 3)
        polled = [each for each in (await poller.get()).text.split("\x1e") if each[:1] == "4"]
        and_before_the_word = await place(running, 3)
        await probing.send("5")
        after = await place(running, 3)
        expected = [*before, *while_probing, *and_before_the_word, *after]
        events = [event_of(each) for each in polled]
        assert told(events) == expected[:6]
        events += [await probing.event() for _ in range(len(expected) - len(events))]
        assert told(events) == expected
        await probing.close()


async def test_a_get_that_waits_is_answered_at_a_probe(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        asking = asyncio.create_task(poller.get())
        await wait_until_asked(running, poller.sid)
        client = await upgrade(poller, running.port)
        assert (await asking).text == "6"
        await client.send(event("ping", {}))
        assert (await client.event())[0] == "pong"
        await client.close()


async def refused(client: WebSocketClient) -> bool:
    return await client.closed_with() == 1008


@pytest.mark.parametrize("words", [["5"], ["4hello"], ["2probe", "2probe"], ["2probe", "4hello"]])
async def test_a_probe_by_other_words_is_closed_and_the_session_is_polled_on(
    running: Running, words: list[str]
) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        client = await websocket(running.port, poller.path, poller.sid)
        for word in words:
            await client.send(word)
        assert await refused(client)
        await poller.send(event("ping", {}))
        assert (await poller.event())[0] == "pong"
        asking = asyncio.create_task(poller.get())
        await wait_until_asked(running, poller.sid)
        assert not asking.done()
        again = await upgrade(poller, running.port)
        await asking
        await again.close()


async def test_one_websocket_at_a_time_may_probe(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        first = await websocket(running.port, poller.path, poller.sid)
        second = await websocket(running.port, poller.path, poller.sid)
        assert await refused(second)
        await first.send("2probe")
        assert await first.raw() == "3probe"
        await first.send("5")
        await first.send(event("ping", {}))
        assert (await first.event())[0] == "pong"
        await first.send("5")
        assert await refused(first)
        assert not running.venue._socketio.sessions


async def test_a_probe_that_leads_nowhere_is_closed_in_time() -> None:
    async with venue(configured(limits(handshake_s=1))) as running, running.http() as http:
        poller = await connect_polling(http)
        client = await websocket(running.port, poller.path, poller.sid)
        await client.send("2probe")
        assert await client.raw() == "3probe"
        assert await refused(client)
        await poller.send(event("ping", {}))
        assert (await poller.event())[0] == "pong"
        await poller.close()


async def test_the_end_of_a_session_ends_its_probe(running: Running) -> None:
    async with running.http() as http:
        poller = await connect_polling(http)
        client = await websocket(running.port, poller.path, poller.sid)
        await client.send("2probe")
        assert await client.raw() == "3probe"
        await poller.close()
        assert await refused(client)
