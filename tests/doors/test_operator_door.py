"""The operator's port as a door: whom it opens to, and how much it takes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doors.operating import TOKEN, Operator, operated
from tests.doors.raw import connect, head
from tests.doors.running import configured, limits

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = (
    ("GET", "keys"),
    ("POST", "keys"),
    ("DELETE", "keys/123456789abc"),
    ("GET", "accounts"),
    ("POST", "accounts"),
    ("POST", "accounts/alice/deposits"),
    ("POST", "accounts/alice/withdrawals"),
    ("GET", "markets"),
    ("POST", "markets/BTCUSDT/halt"),
    ("POST", "markets/BTCUSDT/resume"),
    ("POST", "orders/cancel"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator() -> AsyncIterator[Operator]:
    async with operated() as made:
        yield made


# The token.


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", f"Bearer {TOKEN}x", "Bearer é", f"Basic {TOKEN}", TOKEN],
)
async def test_nothing_is_done_without_the_token(
    operator: Operator, method: str, path: str, given: str | None
) -> None:
    count = operator.routes.failed_tokens
    headers = {"Authorization": given.encode()} if given is not None else {"Authorization": b""}
    status, code, _ = await operator.refused(method, path, {"name": "mallory"}, headers=headers)
    assert (status, code) == (401, "UNAUTHORIZED")
    assert operator.routes.failed_tokens == count + 1


async def test_the_token_s_scheme_is_read_in_any_case(operator: Operator) -> None:
    response = await operator.call("GET", "keys", headers={"Authorization": f"bearer  {TOKEN}"})
    assert response.status_code == 200


async def test_a_401_says_what_is_wanted_and_ends_the_connection(operator: Operator) -> None:
    response = await operator.call("GET", "keys", headers={"Authorization": "x"})
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Connection"] == "close"


@pytest.mark.parametrize(("method", "path"), [*ENDPOINTS, ("GET", "")])
async def test_the_public_port_knows_nothing_of_it(
    operator: Operator, method: str, path: str
) -> None:
    async with operator.running.http() as http:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for target in (f"/operator/{path}", "/metrics"):
            assert (await http.request(method, target, headers=headers)).status_code == 404


async def test_the_operator_s_port_knows_nothing_of_the_public_one(operator: Operator) -> None:
    for path in ("/api/v1/public/time", "/api/v1/trader/balances", "/", "/operator/x"):
        assert (await operator.http.get(path)).status_code == 404
    assert (await operator.http.put("/operator/keys")).status_code == 405


# What comes is bounded.


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "BAD_JSON"),
        (b"\xff", "BAD_JSON"),
        (b'{"name": "x"} {}', "BAD_JSON"),
        (b"null", "BAD_REQUEST"),
        (b"[" * 60_000, "BAD_REQUEST"),
        (b'{"name": "' + b"x" * limits().request_bytes + b'"}', "BAD_REQUEST"),
    ],
)
async def test_a_body_that_can_not_be_read_is_refused(
    operator: Operator, content: bytes, code: str
) -> None:
    assert (await operator.refused("POST", "accounts", content=content))[:2] == (400, code)


async def test_heads_are_bounded_here_too(operator: Operator) -> None:
    async with await connect(operator.port) as client:
        await client.send(head("/operator/keys", {"Host": "x", "Padding": "x" * 9000}))
        assert (await client.ended()).startswith(b"HTTP/1.1 431 ")


async def test_nobody_is_upgraded_here(operator: Operator) -> None:
    upgrade = {
        "Host": "x",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    async with await connect(operator.port) as client:
        await client.send(head("/", upgrade))
        async with asyncio.timeout(5):
            assert (await client._reader.readline()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
async def test_a_page_has_its_bounds(operator: Operator, limit: str) -> None:
    for path in ("keys", "accounts"):
        assert (await operator.refused("GET", f"{path}?limit={limit}"))[0] == 400
        assert (await operator.refused("GET", f"{path}?after=zz%20z"))[0] == 400


async def test_bodies_are_bounded_by_the_configured_limit() -> None:
    async with operated(configured(limits(request_bytes=40))) as operator:
        name = "x" * 20
        assert (await operator.done("POST", "accounts", {"name": name}))["name"] == name
        _, _, reason = await operator.refused("POST", "accounts", {"name": "x" * 40})
        assert reason == "the body has more than 40 bytes"
