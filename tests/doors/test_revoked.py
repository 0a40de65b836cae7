"""Keys at the doors of streams: signed streams, and what ends when a key is revoked (protocol §9)."""

import pytest
from msgspec.structs import replace

from jayx_stream.app.config import Account, ApiKey
from tests.doors.raw import request
from tests.doors.running import TRADE, configured, venue
from tests.doors.stream_trader import (
    StreamTrader,
    connection_of,
    key_id,
    logged_in,
    login,
    order,
    revoke,
    signature,
)
from tests.doors.trader import ALICE, BOB, READER, Credentials

CAREFUL = Credentials("carolscarefulkey", "carol-secret")
CAROL = Account(
    "carol",
    {"USDT": "1000"},
    (ApiKey(CAREFUL.key, CAREFUL.secret, TRADE, signed_streams=True),),
)


@pytest.mark.parametrize("event", ["positions", "openorders"])
async def test_a_key_that_has_to_sign_reads_by_signature_only(event: str) -> None:
    config = replace(configured(), accounts=(*configured().accounts, CAROL))
    async with venue(config) as running, await running.raw() as client:
        stream = StreamTrader(client)
        bare = {"apiKey": CAREFUL.key, "category": "spot"}
        assert (await stream.refusal(event, bare))[0] == "UNAUTHORIZED"
        wrong = {**bare, **signature(CAREFUL, "login")}
        assert (await stream.refusal(event, wrong))[0] == "UNAUTHORIZED"
        good = {**bare, **signature(CAREFUL, event)}
        told = await stream.ask(event, good)
        assert told["message"]["stream"] == f"{event}:spot@carol"
        assert (await client.json())["event"] == event
        code, reason = await stream.refusal(event, good)
        assert (code, "used before" in reason) == ("UNAUTHORIZED", True)
        told = await stream.ask("unsubscribe", {"event": event, **bare})
        assert told["message"] == {"stream": f"{event}:spot@carol"}


async def test_all_connections_of_a_revoked_key_end_and_no_others() -> None:
    async with venue() as running:
        async with (
            logged_in(running) as trading,
            await running.raw() as reading,
            await running.raw() as reads_both,
            logged_in(running, BOB) as other,
        ):
            await reading.send(request("positions", {"apiKey": ALICE.key, "category": "spot"}))
            for key in (READER.key, ALICE.key):
                await reads_both.send(request("positions", {"apiKey": key, "category": "spot"}))
            for client, pushes in ((reading, 1), (reads_both, 2)):
                for _ in range(pushes):
                    assert (await client.json())["event"] == "positions"
            await revoke(running, ALICE)
            for client in (trading.client, reading, reads_both):
                assert await client.closed_with() == 4001
            placed, _ = await other.done("order", order())
            assert placed["state"] == "NEW"
            assert (await other.refusal("login", login()))[0] == "UNAUTHORIZED"
            connection_of(running, BOB)
            assert not [each for each in running.connections if each.was_let_in_by(key_id(ALICE))]


async def test_a_revoked_keys_connection_is_told_nothing_more() -> None:
    async with venue() as running, running.traders() as (_, bob):
        async with await running.raw() as client:
            await client.send(request("orderbook", {"category": "spot", "symbol": "BTCUSDT"}))
            await client.send(request("positions", {"apiKey": ALICE.key, "category": "spot"}))
            for _ in range(2):
                await client.json()
            assert running.venue._door.revoke(key_id(ALICE)) == 1
            assert running.venue._door.revoke(key_id(ALICE)) == 0
            await bob.place("BUY", 1, 10)
            opcode, payload = await client.opcode_and_payload()
            assert (opcode, int.from_bytes(payload[:2], "big")) == (8, 4001)
            assert payload[2:] == b"the key was revoked"
            # It does not answer, and is cut all the same.
            assert await client.ended() == b""
