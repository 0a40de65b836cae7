"""A revoked key's connections end at once with close 4001 (protocol §9, §10); nobody else's do."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from jayx_stream.app.config import Keys
from jayx_stream.model.reasons import CloseCode
from tests.doors.operating import Operator, key_id_of, operated
from tests.doors.raw import RawClient, request
from tests.doors.running import configured
from tests.doors.stream_trader import logged_in, order, signature
from tests.doors.trader import ALICE, Credentials

pytestmark = pytest.mark.asyncio(loop_scope="module")

KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator() -> AsyncIterator[Operator]:
    async with operated() as made:
        yield made


async def read(client: RawClient, who: Credentials, event: str = "positions") -> None:
    """Subscribe to a private stream, and read its first push."""
    await client.send(request(event, {"apiKey": who.key, "category": "spot"}))
    assert (await client.json())["event"] == event


async def revoke(operator: Operator, who: Credentials) -> None:
    await operator.done("DELETE", f"keys/{key_id_of(who)}")


async def is_served(client: RawClient) -> bool:
    await client.send(request("kline", KLINE, 1))
    return [(await client.json())["event"] for _ in range(2)] == ["ack", "kline"]


async def test_private_streams_of_a_revoked_key_end_at_once(operator: Operator) -> None:
    who, other = await operator.key(), await operator.key()
    running = operator.running
    async with (
        await running.raw() as one,
        await running.raw() as two,
        await running.raw() as others,
        await running.raw() as nobodys,
    ):
        await read(one, who)
        await read(two, who, "openorders")
        await read(others, other)
        await revoke(operator, who)
        assert [await each.closed_with() for each in (one, two)] == [CloseCode.KEY_REVOKED] * 2
        assert await is_served(others)
        assert await is_served(nobodys)


async def test_a_login_by_a_revoked_key_ends_at_once(operator: Operator) -> None:
    who = await operator.key()
    async with logged_in(operator.running, who) as trader:
        placed, _ = await trader.done("order", order())
        await revoke(operator, who)
        assert await trader.client.closed_with() == CloseCode.KEY_REVOKED
    async with operator.running.traders() as (alice, _):
        found, _ = await alice.done("GET", f"order?id={placed['id']}")
        assert found["state"] == "NEW", "an order stays unless the client asked otherwise"
        await alice.cancel(placed["id"])


async def test_a_connection_ends_with_any_of_the_keys_that_let_it_in(operator: Operator) -> None:
    first, second = await operator.key(), await operator.key("bob")
    async with await operator.running.raw() as client:
        await read(client, first)
        await read(client, second)
        await revoke(operator, first)
        assert await client.closed_with() == CloseCode.KEY_REVOKED


async def test_a_revoked_key_opens_no_new_stream(operator: Operator) -> None:
    who = await operator.key()
    await revoke(operator, who)
    async with await operator.running.raw() as client:
        await client.send(request("positions", {"apiKey": who.key, "category": "spot"}, 1))
        assert (await client.json())["message"]["code"] == "UNAUTHORIZED"
        await client.send(request("login", signature(who, "login"), 2))
        assert (await client.json())["message"]["code"] == "UNAUTHORIZED"
        assert await is_served(client)


async def test_a_careful_key_reads_with_a_signature_only(operator: Operator) -> None:
    who = await operator.key("alice", "read", signed_streams=True)
    async with await operator.running.raw() as client:
        message = {"apiKey": who.key, "category": "spot"}
        await client.send(request("positions", message, 1))
        refused = (await client.json())["message"]
        assert refused["code"] == "UNAUTHORIZED"
        assert "timestamp and sign" in refused["reason"]
        await client.send(request("positions", {**message, **signature(who, "openorders")}, 2))
        assert (await client.json())["message"]["code"] == "UNAUTHORIZED"
        await client.send(request("positions", {**message, **signature(who, "positions")}, 3))
        assert (await client.json())["event"] == "ack"
        assert (await client.json())["event"] == "positions"


async def test_a_server_can_want_all_private_streams_signed() -> None:
    config = replace(configured(), keys=Keys(signed_streams=True))
    async with operated(config) as operator, await operator.running.raw() as client:
        message = {"apiKey": ALICE.key, "category": "spot"}
        await client.send(request("openorders", message, 1))
        assert (await client.json())["message"]["code"] == "UNAUTHORIZED"
        signed = {**message, **signature(ALICE, "openorders")}
        await client.send(request("openorders", signed, 2))
        assert (await client.json())["event"] == "ack"
        assert (await client.json())["event"] == "openorders"
        await client.send(request("openorders", signed, 3))
        assert "used before" in (await client.json())["message"]["reason"]
