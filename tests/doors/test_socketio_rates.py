"""How often a session may ask by polling, and an address open one (protocol §8, §10)."""

import asyncio

import httpx

from tests.doors.engineio import SOCKETIO, Poller, connect_polling, event_of, open_polling, upgrade
from tests.doors.running import configured, limits, venue
from tests.doors.socketio_trader import SocketTrader
from tests.doors.stream_trader import login, order
from tests.doors.test_rates import proxied
from tests.doors.test_socketio_endings import the_session

OPEN = f"{SOCKETIO}?EIO=4&transport=polling"
FEW = limits(http_requests_per_s=1, http_requests_burst=20)


async def ping(poller: Poller, times: int) -> None:
    """As many POSTs, and as many GETs."""
    for _ in range(times):
        await poller.send('42["ping",{}]')
        assert (await poller.event())[0] == "pong"


async def statuses(http: httpx.AsyncClient, method: str, path: str, times: int) -> set[int]:
    return {(await http.request(method, path)).status_code for _ in range(times)}


async def test_polls_of_a_session_do_not_count_for_its_address() -> None:
    async with venue(configured(FEW)) as running, running.http() as http:
        poller = await connect_polling(http)
        await ping(poller, 30)
        assert "ratelimit-limit" not in (await poller.post("3")).headers
        assert (await http.get("/api/v1/public/time")).status_code == 200
        await poller.close()


async def test_all_else_at_the_path_counts() -> None:
    asked = {
        "openings": ("GET", OPEN),
        "polls of nobody": ("GET", f"{OPEN}&sid=nobody"),
        "posts to nobody": ("POST", f"{OPEN}&sid=nobody"),
        "other methods": ("OPTIONS", "{session}"),
        "unknown methods": ("PUT", "{session}"),
    }
    for name, (method, template) in asked.items():
        async with venue(configured(FEW)) as running, running.http() as http:
            poller = await connect_polling(http)
            path = template.replace("{session}", poller.query)
            assert 429 in await statuses(http, method, path, 40), name
            await ping(poller, 1)
            await poller.close()


async def test_a_session_that_is_over_counts_again() -> None:
    async with venue(configured(FEW)) as running, running.http() as http:
        poller = await connect_polling(http)
        await poller.close()
        assert await statuses(http, "GET", poller.query, 40) == {400, 429}


async def test_a_session_on_a_websocket_counts_again() -> None:
    async with venue(configured(FEW)) as running, running.http() as http:
        poller = await connect_polling(http)
        client = await upgrade(poller, running.port)
        assert await statuses(http, "GET", poller.query, 40) == {400, 429}
        await client.close()


async def test_who_polls_as_fast_as_can_be_is_not_refused_but_paced() -> None:
    bounds = limits(requests_per_s=20, requests_burst=10)
    async with venue(configured(bounds)) as running, running.http() as http:
        poller = await connect_polling(http)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for _ in range(30):
            await poller.send("6")
        assert 10 + 20 * (loop.time() - began_s) + 1 >= 30
        await poller.close()


async def test_requests_by_posts_have_the_sessions_rate() -> None:
    bounds = limits(requests_per_s=1, requests_burst=5)
    async with venue(configured(bounds)) as running, running.http() as http:
        poller = await connect_polling(http)
        asking = asyncio.create_task(poller.get())
        polled = the_session(running).polled
        while polled is not None and polled._asking is None:
            await asyncio.sleep(0.001)
        await poller.send(*['42["ping",{}]'] * 20)
        *told, last = (await asking).text.split("\x1e")
        events = [event_of(each) for each in told]
        assert [name for name, _ in events] == ["pong"] * 5 + ["error"] * 10
        assert {message["code"] for _, message in events[5:]} == {"RATE_LIMITED"}
        assert last == "1"


async def test_a_trader_over_polling_is_not_held_up_by_his_address() -> None:
    async with venue(configured(FEW)) as running, running.http() as http:
        trader = SocketTrader(await connect_polling(http))
        await trader.done("login", login())
        for _ in range(15):
            placed, _ = await trader.done("order", order())
            await trader.done("cancel", {"id": placed["id"]})
        await trader.client.close()


async def test_a_session_has_a_seat_as_long_as_it_is_polled() -> None:
    async with venue() as running, running.http() as http:
        await http.get("/health")
        before = running.seats
        poller = await open_polling(http)
        assert running.seats == before + 1
        client = await upgrade(poller, running.port)
        await client.send("40")
        assert (await client.packet()).startswith("40{")
        assert running.seats == before + 1, "the WebSocket's own"
        assert the_session(running).polled is None
        other = await open_polling(http)
        await other.close()
        assert running.seats == before + 1
        await client.close()


async def test_behind_a_proxy_every_address_has_its_own_sessions() -> None:
    async with venue(proxied(limits(connections_per_address=1))) as running, running.http() as http:

        async def opened(address: str) -> int:
            return (await http.get(OPEN, headers={"X-Forwarded-For": address})).status_code

        assert [await opened(each) for each in ("192.0.2.1", "192.0.2.1", "192.0.2.2")] == [
            200, 429, 200,
        ]  # fmt: skip
        counts = running.venue._door.visitors["socketio"].counts
        assert (counts.opened, counts.refused) == (2, {429: 1})
        for session in list(running.venue._socketio.sessions.values()):
            session.abort()
        assert await opened("192.0.2.1") == 200
