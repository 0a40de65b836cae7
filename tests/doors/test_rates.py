"""How often an address may ask, and how much it may have open (protocol §10)."""

import asyncio
import json
import socket

import httpx
import msgspec
import pytest

from jayx_stream.app.config import Config
from jayx_stream.doors import rates
from jayx_stream.doors.rates import AddressLimits
from jayx_stream.wire.limits import Limits
from tests.doors.raw import (
    DEADLINE_S,
    UPGRADE,
    RawClient,
    connect,
    head,
    http_head,
    request,
)
from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import ALICE, BOB, Credentials, Trader

TIME = "/api/v1/public/time"
HOST = {"Host": "127.0.0.1"}


def proxied(bounds: Limits, proxies: tuple[str, ...] = ("127.0.0.1",)) -> Config:
    """As `configured`, with this machine as a proxy in front."""
    config = configured(bounds)
    server = msgspec.structs.replace(config.server, proxies=proxies)
    return msgspec.structs.replace(config, server=server)


async def nobody_is_left(running: Running) -> None:
    """Wait until every connection is counted off."""
    async with asyncio.timeout(DEADLINE_S):
        while running.seats:
            await asyncio.sleep(0)


async def status(running: Running, path: str, headers: dict[str, str] | None = None) -> int:
    """Of the answer to a request on a connection of its own."""
    async with await connect(running.port) as client:
        answer = await http_head(client, head(path, {**HOST, **(headers or {})}))
        return int(answer[9:12])


# Requests.


async def test_requests_over_the_rate_are_refused_and_told_when_to_come_again() -> None:
    async with venue(configured(limits(http_requests_per_s=1, http_requests_burst=3))) as running:
        async with running.http() as http:
            answers = [await http.get(TIME) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            refused = answers[3]
            assert refused.headers["retry-after"] == "1"
            assert refused.json() == {
                "code": "RATE_LIMITED",
                "message": "more than 3 HTTP requests at once, and then 1 a second, from 127.0.0.1",
                "data": None,
            }
            for path in ("/nowhere", "/", "/api/v1/trader/balances"):
                assert (await http.get(path)).status_code == 429
            for path in ("/health", "/ready"):
                for _ in range(5):
                    free = await http.get(path)
                    assert free.status_code == 200
                    assert "ratelimit-limit" not in free.headers
        # On another connection it is the same address.
        assert await status(running, TIME) == 429


async def test_upgrades_are_requests() -> None:
    async with venue(configured(limits(http_requests_per_s=1, http_requests_burst=2))) as running:
        async with await running.raw() as one, await running.raw():
            async with await connect(running.port) as client:
                answer = await http_head(client, head("/", UPGRADE))
                assert answer.startswith(b"HTTP/1.1 429 ")
                assert b"\r\nretry-after: 1\r\n" in answer
                assert json.loads(await client.ended())["code"] == "RATE_LIMITED"
            await one.send(request("ping", {}))
            assert (await one.json())["event"] == "pong"
        await nobody_is_left(running)


async def test_answers_tell_what_is_left_of_the_addresss_requests() -> None:
    async with venue(configured(limits(http_requests_per_s=1, http_requests_burst=100))) as running:
        async with running.http() as http:
            for left in (99, 98):
                told = (await http.get(TIME)).headers
                assert told["ratelimit-limit"] == "100"
                assert int(told["ratelimit-remaining"]) in (left, left + 1)
                assert int(told["ratelimit-reset"]) == 100 - int(told["ratelimit-remaining"])
            # Nobody knows yet whose orders they would be.
            assert (await http.get("/api/v1/trader/balances")).headers["ratelimit-limit"] == "100"


async def test_signed_answers_tell_what_is_left_of_the_accounts_orders() -> None:
    bounds = limits(orders_per_s=1, http_requests_per_s=100)
    async with venue(configured(bounds)) as running, running.traders() as (alice, bob):
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
        first = await alice.call("POST", "order", order)
        assert first.status_code == 200
        assert first.headers["ratelimit-limit"] == "1"
        assert first.headers["ratelimit-remaining"] == "0"
        assert first.headers["ratelimit-reset"] == "1"
        answers = [await alice.call("POST", "order", order) for _ in range(5)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["ratelimit-remaining"] == "0"
        assert (await bob.call("GET", "balances")).headers["ratelimit-remaining"] == "1"


async def test_an_address_with_wrong_keys_is_told_how_long_it_is_not_listened_to() -> None:
    async with venue(configured(limits(failed_keys_per_min=2))) as running:
        async with running.http() as http:
            stranger = Trader(http, Credentials("nobody", "nothing"))
            for _ in range(2):
                assert (await stranger.call("GET", "balances")).status_code == 401
            refused = await Trader(http, ALICE).call("GET", "balances")
            assert refused.status_code == 429
            assert 1 < int(refused.headers["retry-after"]) <= 60


async def test_no_limit_of_requests_at_0() -> None:
    bounds = limits(http_requests_per_s=0, http_requests_burst=0, orders_per_s=0)
    async with venue(configured(bounds)) as running, running.traders() as (alice, _):
        for _ in range(20):
            answer = await alice.call("GET", "balances")
            assert answer.status_code == 200
            assert "ratelimit-limit" not in answer.headers


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "ADDRESSES_MAX", 3)
    limited = AddressLimits(Limits(http_requests_per_s=1, http_requests_burst=1))
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        assert limited.take(address, 1.0)
    assert not limited.take("192.0.2.1", 1.0)
    assert limited.take("192.0.2.4", 1.0)
    assert not limited.take("192.0.2.1", 1.0), "who asked lately is remembered"
    assert limited.take("192.0.2.2", 1.0), "who was silent longest is forgotten"


def test_one_holder_of_ipv6_addresses_is_one_address() -> None:
    bounds = Limits(http_requests_per_s=1, http_requests_burst=1, connections_per_address=1)
    limited = AddressLimits(bounds)
    assert limited.take("2001:db8::1", 1.0)
    assert not limited.take("2001:db8::2", 1.0)
    assert limited.take("2001:db8:0:1::1", 1.0)
    seat = limited.seat("2001:db8::1")
    assert seat is not None
    assert limited.seat("2001:db8::2") is None
    seat.leave()
    seat.leave()
    assert limited.open == 0
    assert limited.seat("2001:db8::2") is not None


# Connections.


async def test_plain_connections_count_and_the_server_can_still_be_watched() -> None:
    async with venue(configured(limits(connections_per_address=2))) as running:
        async with await running.raw(), await connect(running.port) as idle:
            await http_head(idle, head(TIME, HOST))
            async with await connect(running.port) as third:
                await third.send(head(TIME, HOST))
                answer = await third.ended()
                assert answer.startswith(b"HTTP/1.1 429 ")
                assert b"\r\nretry-after: 1\r\n" in answer
                assert b"2 connections from 127.0.0.1 are open" in answer
            async with await connect(running.port) as watching:
                await watching.send(head("/health", HOST))
                assert (await watching.ended()).startswith(b"HTTP/1.1 200 ")
        await nobody_is_left(running)
        assert await status(running, TIME) == 200


async def test_no_limit_of_connections_at_0() -> None:
    async with venue(configured(limits(connections_per_address=0))) as running:
        clients = [await connect(running.port) for _ in range(20)]
        for client in clients:
            assert (await http_head(client, head(TIME, HOST))).startswith(b"HTTP/1.1 200 ")
        assert running.seats == 20
        for client in clients:
            await client.close()
        await nobody_is_left(running)


async def cut(client: RawClient) -> None:
    """Reset the connection."""
    sock = client._writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    await client.close()


async def test_a_count_ends_with_its_connection_however_that_ends() -> None:
    async with venue(configured(limits(connections_per_address=1))) as running:
        upgrade = head("/", {**UPGRADE, "Host": f"127.0.0.1:{running.port}"})
        beginnings = {
            "nothing": b"",
            "half a head": upgrade[:-2],
            "no HTTP": b"hello\r\n\r\n",
            "a head too large": head("/", {"X": "x" * 9000}),
            "a request": head(TIME, HOST),
            "an upgrade": upgrade,
            "a refused upgrade": head("/nowhere", UPGRADE),
            "an upgrade on a connection in use": head(TIME, HOST) + upgrade,
            "a broken frame": upgrade,
        }
        for name, beginning in beginnings.items():
            for end in (RawClient.close, cut):
                client = await connect(running.port)
                await client.send(beginning)
                if name not in ("nothing", "half a head"):
                    await client._reader.readuntil(b"\r\n\r\n")
                    assert running.seats <= 1, name
                if name == "a broken frame":
                    await client.send(b"\xff\xff")
                await end(client)
                await nobody_is_left(running)


async def test_an_upgrade_is_counted_once() -> None:
    async with venue(configured(limits(connections_per_address=2))) as running:
        async with await running.raw(), await running.raw():
            assert running.seats == 2
            assert await status(running, "/", UPGRADE) == 429
        await nobody_is_left(running)


# Behind a proxy.


def forwarded(client: str) -> dict[str, str]:
    return {"X-Forwarded-For": client}


async def test_behind_a_listed_proxy_each_client_has_its_own_limits() -> None:
    bounds = limits(
        http_requests_per_s=1,
        http_requests_burst=1,
        connections_per_address=1,
        failed_keys_per_min=1,
    )
    async with venue(proxied(bounds)) as running:
        one, other = forwarded("198.51.100.1"), forwarded("6.6.6.6, 198.51.100.2")
        assert await status(running, TIME, one) == 200
        assert await status(running, TIME, one) == 429
        assert await status(running, TIME, other) == 200
        third, fourth = forwarded("198.51.100.3"), forwarded("198.51.100.4")
        async with await connect(running.port) as first, await connect(running.port) as second:
            assert b" 101 " in await http_head(first, head("/", {**UPGRADE, **third}))
            assert running.seats == 1, "the proxy's own connections are nobody's"
            assert b" 429 " in await http_head(second, head("/", {**UPGRADE, **third}))
            assert await status(running, "/", {**UPGRADE, **fourth}) == 101
        await nobody_is_left(running)


async def test_behind_a_listed_proxy_wrong_keys_are_the_clients_own() -> None:
    async with venue(proxied(limits(failed_keys_per_min=1))) as running, running.http() as http:
        stranger = Trader(http, Credentials("nobody", "nothing"))
        http.headers.update(forwarded("198.51.100.1"))
        assert (await stranger.call("GET", "balances")).status_code == 401
        assert (await stranger.call("GET", "balances")).status_code == 429
        http.headers.update(forwarded("198.51.100.2"))
        assert (await Trader(http, BOB).call("GET", "balances")).status_code == 200


@pytest.mark.parametrize("proxies", [(), ("10.0.0.0/8", "::1")])
async def test_a_header_of_who_is_no_proxy_means_nothing(proxies: tuple[str, ...]) -> None:
    bounds = limits(http_requests_per_s=1, http_requests_burst=3, connections_per_address=1)
    async with venue(proxied(bounds, proxies)) as running:
        async with await connect(running.port) as client:
            asked = [head(TIME, {**HOST, **forwarded(f"198.51.100.{each}")}) for each in range(8)]
            assert b" 200 " in await http_head(client, asked[0])
            assert await status(running, "/", {**UPGRADE, **forwarded("192.0.2.1")}) == 429
            await client.send(b"".join(asked) + head("/nowhere", {**HOST, "Connection": "close"}))
            assert b" 429 " in await client.ended()


async def test_the_clients_of_one_address_share_what_is_left() -> None:
    async with venue(configured(limits(http_requests_per_s=1, http_requests_burst=50))) as running:
        async with httpx.AsyncClient(base_url=running.origin, trust_env=False) as http:
            answers = await asyncio.gather(*(http.get(TIME) for _ in range(80)))
            codes = [answer.status_code for answer in answers]
            assert 50 <= codes.count(200) < 80
            assert codes.count(429) == 80 - codes.count(200)


async def test_answers_are_what_they_say_and_nobodys_frame() -> None:
    async with venue() as running, running.http() as http:
        for path in (TIME, "/health", "/nowhere"):
            told = (await http.get(path)).headers
            assert told["x-content-type-options"] == "nosniff"
            assert told["x-frame-options"] == "DENY"
