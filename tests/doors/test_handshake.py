"""Who is let in: the upgrade, its path, its origin, its count (protocol §2, §10)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import websockets

from tests.doors.raw import DEADLINE_S, UPGRADE, connect, head, http_head, request
from tests.doors.running import Running, configured, limits, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with venue(configured(origins=("https://charts.example.org",))) as made:
        yield made


async def status(running: Running, asked: bytes) -> int:
    """Of the answer to a request's head."""
    async with await connect(running.port) as client:
        answer = await http_head(client, asked)
        assert answer.startswith(b"HTTP/1.1 ")
        return int(answer[9:12])


def upgrade(path: str = "/", **changed: str | None) -> bytes:
    """An upgrade with some headers changed, or left out."""
    names = {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {**UPGRADE, "Host": "127.0.0.1:8443", **names}
    return head(path, {name: value for name, value in headers.items() if value is not None})


HEADS = {
    "an upgrade": (upgrade(), 101),
    "an upgrade with a query": (upgrade("/?envelope=none&x=[]"), 101),
    "as Firefox sends it": (upgrade(Connection="keep-alive, Upgrade"), 101),
    "in other letters": (upgrade(Connection="upgrade", Upgrade="WebSocket"), 101),
    "another path": (upgrade("/stream"), 404),
    "a path that is no URL": (upgrade("//["), 404),
    "no Origin": (upgrade(Origin=None), 101),
    "the server's own Origin": (upgrade(Origin="http://127.0.0.1:8443"), 101),
    "the server's own Origin behind TLS": (upgrade(Origin="https://127.0.0.1:8443"), 101),
    "a listed Origin": (upgrade(Origin="https://charts.example.org"), 101),
    "another Origin": (upgrade(Origin="https://evil.example.org"), 403),
    "another port's Origin": (upgrade(Origin="http://127.0.0.1:9999"), 403),
    "an Origin that begins like a listed one": (
        upgrade(Origin="https://charts.example.org.evil.net"),
        403,
    ),
    "the Origin of a file": (upgrade(Origin="null"), 403),
    "an Origin that is no URL": (upgrade(Origin="http://[x"), 403),
    "two Origins": (
        upgrade()[:-2]
        + b"Origin: http://127.0.0.1:8443\r\nOrigin: https://evil.example.org\r\n\r\n",
        403,
    ),
    "an Origin and no Host": (upgrade(Origin="http://", Host=""), 403),
    "another version": (upgrade(Sec_WebSocket_Version="12"), 400),
    "no version": (upgrade(Sec_WebSocket_Version=None), 400),
    "no key": (upgrade(Sec_WebSocket_Key=None), 400),
    "a key that is too short": (upgrade(Sec_WebSocket_Key="c2hvcnQ="), 400),
    "no Upgrade": (upgrade(Upgrade=None), 426),
    "no Connection": (upgrade(Connection=None), 426),
    "an upgrade to something else": (upgrade(Upgrade="h2c"), 426),
    "a body of no bytes": (upgrade(Content_Length="0"), 101),
    "a body": (upgrade(Content_Length="5"), 400),
    "a body in chunks": (upgrade(Transfer_Encoding="chunked"), 400),
    "an upgrade of HTTP/1.0": (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0", 1), 505),
    "a POST that upgrades": (upgrade().replace(b"GET", b"POST", 1), 405),
    "a target that is not ASCII": (upgrade("/\u20ac"), 400),
    "no upgrade at all": (head("/", {"Host": "x"}), 200),
    "a POST": (head("/", {"Host": "x", "Content-Length": "0"}, "POST"), 405),
    "what is no HTTP": (b"hello\r\n\r\n", 400),
    "a head too large": (upgrade(Cookie="x" * 9000), 431),
    "a target too large": (upgrade("/?" + "x" * 9000), 431),
}


@pytest.mark.parametrize(("asked", "answered"), HEADS.values(), ids=HEADS)
async def test_a_head_is_answered_by_its_status(
    running: Running, asked: bytes, answered: int
) -> None:
    assert await status(running, asked) == answered
    async with running.connect() as client:
        await client.ping()


async def test_a_refusal_says_why(running: Running) -> None:
    async with await connect(running.port) as client:
        await client.send(upgrade("/stream"))
        assert b"no stream at /stream; there is one at /" in await client.ended()


async def test_no_cookie_is_set(running: Running) -> None:
    async with await connect(running.port) as client:
        assert b"set-cookie" not in (await http_head(client, upgrade(Cookie="a=b"))).lower()


async def test_an_upgrade_by_another_method_ends_the_connection(running: Running) -> None:
    async with await connect(running.port) as client:
        await client.send(upgrade().replace(b"GET", b"POST", 1))
        assert not (await client.ended()).startswith(b"HTTP/1.1 101")


async def test_one_connection_more_than_an_address_may_have_is_refused() -> None:
    async with venue(configured(limits(connections_per_address=2))) as small:
        leaving, staying = await small.raw(), await small.raw()
        assert await status(small, upgrade()) == 429
        assert await status(small, head("/", {"Host": "x"})) == 429
        await leaving.close()
        while len(small.connections) > 1:
            await staying.send(request("ping", {}))
            await staying.json()
        async with small.connect() as again:
            await again.ping()
        await staying.close()


async def test_refused_handshakes_count_no_longer_than_they_last() -> None:
    async with venue(configured(limits(connections_per_address=1))) as small:
        for _ in range(3):
            assert await status(small, upgrade(Sec_WebSocket_Key=None)) == 400
            async with asyncio.timeout(DEADLINE_S):
                while small.seats:
                    await asyncio.sleep(0)
        async with small.connect() as client:
            await client.ping()


async def test_a_head_that_does_not_come_ends_the_connection() -> None:
    async with venue(configured(limits(handshake_s=1))) as small:
        async with await connect(small.port) as silent, await connect(small.port) as slow:
            await slow.send(upgrade()[:-2])
            assert await silent.ended() == b""
            assert await slow.ended() == b""


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    head = b"POST /api/v1/trader/order HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
    async with venue(configured(limits(handshake_s=1))) as small, await connect(small.port) as slow:
        await slow.send(head + b"{")
        answer = await slow.ended()
        assert b"within 1 s" in answer


async def test_a_venue_that_is_not_ready_takes_no_stream_reader() -> None:
    async with venue() as small:
        small.venue.not_ready = "the venue is thinking"
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with small.connect():
                pass
        assert refused.value.response.status_code == 503
        assert b"the venue is thinking" in (refused.value.response.body or b"")
