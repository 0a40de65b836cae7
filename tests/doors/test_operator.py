"""The operator's API: what it does is in force when it is answered, and a refusal does nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from jayx_stream.journal.memory import MemoryJournal
from tests.doors.operating import Operator, key_id_of, operated
from tests.doors.trader import ALICE, READER, Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "gtI6JUBv5b2uUPsMJZoQyDDKfRjUfF1S1e6bSx0RZBQ="
MONEY = {"asset": "USDT", "amount": "1.5", "reference": "r"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator() -> AsyncIterator[Operator]:
    async with operated() as made:
        yield made


async def balances(operator: Operator, account: str) -> dict[str, tuple[str, str]]:
    """Balance and available of each asset."""
    rows = await operator.done("GET", "accounts")
    (spot,) = (row["spot"] for row in rows if row["name"] == account)
    return {each["asset"]: (each["balance"], each["available"]) for each in spot}


# Keys.


async def test_a_new_key_reads_and_trades_at_once(operator: Operator) -> None:
    who = await operator.key("alice", "read", "trade", label="bot")
    async with operator.running.http() as http:
        order, _ = await Trader(http, who).place("BUY", 5, 1000)
        assert await Trader(http, who).cancel(order["id"])
    (row,) = [
        each
        for each in await operator.done("GET", "keys?account=alice")
        if each["key_id"] == key_id_of(who)
    ]
    assert (row["account"], row["kind"], row["label"]) == ("alice", "hmac", "bot")
    assert (row["permissions"], row["revoked"]) == (["read", "trade"], None)
    assert who.secret not in str(row)
    assert who.key not in str(row)


async def test_what_a_key_is_used_with_is_not_to_be_kept_on_the_way(operator: Operator) -> None:
    response = await operator.call("POST", "keys", {"account": "alice"})
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_key_may_do_no_more_than_it_was_made_for(operator: Operator) -> None:
    async with operator.running.http() as http:
        reader = Trader(http, await operator.key("bob", "read"))
        assert (await reader.call("GET", "balances")).status_code == 200
        refused = await reader.call("DELETE", "orders")
        assert refused.json()["code"] == "FORBIDDEN"
        away = Trader(http, await operator.key("bob", "read", networks=["192.0.2.0/24"]))
        refused = await away.call("GET", "balances")
        assert refused.json()["message"] == "this key may not be used from 127.0.0.1"
        here = Trader(http, await operator.key("bob", "read", networks=["127.0.0.0/8"]))
        assert (await here.call("GET", "balances")).status_code == 200


async def test_an_ed25519_key_has_no_secret(operator: Operator) -> None:
    wanted = {"account": "alice", "kind": "ed25519", "public_key": PUBLIC}
    made = await operator.done("POST", "keys", wanted)
    assert (made["kind"], made["secret"], made["permissions"]) == ("ed25519", None, ["read"])


async def test_a_key_is_revoked_once_and_for_all(operator: Operator) -> None:
    who = await operator.key()
    path = f"keys/{key_id_of(who)}"
    revoked = await operator.done("DELETE", path)
    assert revoked["revoked"] is not None
    assert await operator.done("DELETE", path) == revoked
    async with operator.running.http() as http:
        assert (await Trader(http, who).call("GET", "balances")).json()["code"] == "UNAUTHORIZED"


async def test_keys_are_listed_page_by_page(operator: Operator) -> None:
    for _ in range(3):
        await operator.key()
    rows = await operator.done("GET", "keys?limit=1000")
    paged: list[Any] = []
    while page := await operator.done(
        "GET", f"keys?limit=2{'&after=' + paged[-1]['key_id'] if paged else ''}"
    ):
        paged += page
    assert paged == rows
    assert len({each["key_id"] for each in rows}) == len(rows) >= 6


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"account": "nobody"}, "no account nobody"),
        ({}, "Object missing required field `account`"),
        ({"account": "alice", "secret": "mine"}, "Object contains unknown field `secret`"),
        ({"account": "alice", "permissions": []}, "permissions: a key needs a permission"),
        ({"account": "alice", "kind": "ed25519", "public_key": "x"}, "public_key: it is not"),
        ({"account": "alice", "networks": ["x"]}, "networks: 'x' does not appear to be"),
        ([], "Expected `object`, got `array`"),
    ],
)
async def test_a_key_that_can_not_be_is_named(operator: Operator, body: Any, said: str) -> None:
    status, code, reason = await operator.refused("POST", "keys", body)
    assert (status, code) == (400, "BAD_REQUEST")
    assert said in reason


@pytest.mark.parametrize("key_id", ["000000000000", "x", "%00", "..%2Faccounts"])
async def test_a_key_that_never_was_can_not_be_revoked(operator: Operator, key_id: str) -> None:
    status, code, _ = await operator.refused("DELETE", f"keys/{key_id}")
    assert (status, code) == (404, "BAD_REQUEST")


# Accounts and money.


async def test_an_account_is_made_and_trades(operator: Operator) -> None:
    assert await operator.done("POST", "accounts", {"name": "dora"}) == {"name": "dora", "spot": []}
    money = {"asset": "USDT", "amount": "100.25", "reference": "first"}
    expected = [{"asset": "USDT", "balance": "100.25", "available": "100.25"}]
    for _ in range(2):
        owned = await operator.done("POST", "accounts/dora/deposits", money)
        assert owned == {"name": "dora", "spot": expected}
    async with operator.running.http() as http:
        dora = Trader(http, await operator.key("dora"))
        order, _ = await dora.place("BUY", 100, 1000)
        assert (await balances(operator, "dora"))["USDT"] == ("100.25", "100.249")
        await dora.cancel(order["id"])


async def test_a_withdrawal_takes_what_no_order_reserves_once(operator: Operator) -> None:
    await operator.done("POST", "accounts", {"name": "emil"})
    for asset, amount in (("BTC", "2"), ("USDT", "10")):
        money = {"asset": asset, "amount": amount, "reference": asset}
        await operator.done("POST", "accounts/emil/deposits", money)
    async with operator.running.http() as http:
        await Trader(http, await operator.key("emil")).place("SELL", 500_000, 9_000_000)
    too_much = {"asset": "BTC", "amount": "1.50000001", "reference": "w"}
    status, code, reason = await operator.refused("POST", "accounts/emil/withdrawals", too_much)
    assert (status, code) == (409, "INSUFFICIENT_BALANCE")
    assert reason == "1.50000001 BTC are needed, 1.5 are available"
    for _ in range(2):
        money = {"asset": "BTC", "amount": "1.5", "reference": "w"}
        await operator.done("POST", "accounts/emil/withdrawals", money)
        assert (await balances(operator, "emil"))["BTC"] == ("0.5", "0")


@pytest.mark.parametrize("name", ["", "a b", "a@b", "x" * 65, "fees", "outside", "é", "a\n"])
async def test_a_name_that_no_account_can_have_is_refused(operator: Operator, name: str) -> None:
    status, code, _ = await operator.refused("POST", "accounts", {"name": name})
    assert (status, code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("what", ["deposits", "withdrawals"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "-1"},
        {"amount": "0"},
        {"amount": "1e3"},
        {"amount": "0.000000001"},
        {"amount": "9" * 30},
        {"amount": 5},
        {"reference": ""},
        {"reference": "x" * 101},
        {"reference": "\x1b"},
        {"extra": 1},
    ],
)
async def test_money_that_can_not_move_does_not(
    operator: Operator, what: str, wrong: dict[str, Any]
) -> None:
    refused = await operator.refused("POST", f"accounts/alice/{what}", {**MONEY, **wrong})
    assert refused[:2] in ((400, "BAD_REQUEST"), (409, "INSUFFICIENT_BALANCE"))
    unknown = await operator.refused("POST", f"accounts/nobody/{what}", MONEY)
    assert unknown == (400, "BAD_REQUEST", "no account nobody")


async def test_an_asset_that_nobody_trades_is_no_money(operator: Operator) -> None:
    money = {**MONEY, "asset": "DOGE"}
    refused = await operator.refused("POST", "accounts/alice/deposits", money)
    assert refused == (400, "BAD_REQUEST", "no instrument trades DOGE")


# Markets.


async def test_a_halted_market_takes_no_orders_until_it_is_resumed(operator: Operator) -> None:
    async with operator.running.traders() as (alice, bob):
        resting, _ = await alice.place("BUY", 5, 1000)
        halted = await operator.done("POST", "markets/BTCUSDT/halt")
        assert halted == {"symbol": "BTCUSDT", "halted": True, "canceled": 0}
        order = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "lots": 5, "ticks": 1000}
        refused = await bob.call("POST", "order", order)
        assert refused.json()["code"] == "MARKET_HALTED"
        states = {each["symbol"]: each["halted"] for each in await operator.done("GET", "markets")}
        assert states == {"BTCUSDT": True, "ETHUSDT": False}
        again = await operator.done("POST", "markets/BTCUSDT/halt", {"cancel_orders": True})
        assert again["canceled"] >= 1
        found, _ = await alice.done("GET", f"order?id={resting['id']}")
        assert found["state"] == "CANCELED"
        resumed = await operator.done("POST", "markets/BTCUSDT/resume", {})
        assert resumed == {"symbol": "BTCUSDT", "halted": False, "canceled": 0}
        await bob.done("POST", "order", order)
        await operator.done("POST", "orders/cancel", {"account": "bob"})


@pytest.mark.parametrize("act", ["halt", "resume"])
async def test_a_market_that_is_not_there_is_named(operator: Operator, act: str) -> None:
    refused = await operator.refused("POST", f"markets/DOGEUSDT/{act}", {})
    assert refused == (404, "UNKNOWN_SYMBOL", "no instrument DOGEUSDT")


async def test_half_a_halt_is_none(operator: Operator) -> None:
    status, _, reason = await operator.refused("POST", "markets/BTCUSDT/halt", {"cancel": True})
    assert status == 400
    assert "unknown field `cancel`" in reason


async def test_the_operator_cancels_what_all_that_he_names_fits(operator: Operator) -> None:
    async with operator.running.traders() as (alice, bob):
        ids = [(await alice.place("BUY", 5, ticks))[0]["id"] for ticks in (1000, 1001)]
        bobs = (await bob.place("BUY", 5, 1000))[0]["id"]
        (first,) = await operator.done("POST", "orders/cancel", {"id": ids[0]})
        assert first == {
            "id": ids[0], "account": "alice", "symbol": "BTCUSDT", "side": "BUY",
            "lots": 5, "exec": 0, "price": "10", "quantity": "0.000005",
        }  # fmt: skip
        wanted = {"id": ids[1], "account": "bob"}
        assert await operator.done("POST", "orders/cancel", wanted) == []
        wanted = {"account": "alice", "symbol": "ETHUSDT"}
        assert await operator.done("POST", "orders/cancel", wanted) == []
        rows = await operator.done("POST", "orders/cancel", {"symbol": "BTCUSDT"})
        assert [row["id"] for row in rows] == [ids[1], bobs]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "BAD_REQUEST"),
        (None, 400, "BAD_REQUEST"),
        ({"id": 10**9}, 404, "UNKNOWN_ORDER"),
        ({"id": "1"}, 400, "BAD_REQUEST"),
        ({"id": 2**70}, 404, "UNKNOWN_ORDER"),
        ({"symbol": "X"}, 404, "UNKNOWN_SYMBOL"),
        ({"account": "nobody"}, 400, "BAD_REQUEST"),
        ({"everything": True}, 400, "BAD_REQUEST"),
    ],
)
async def test_a_cancel_that_names_nothing_known_is_refused(
    operator: Operator, body: Any, status: int, code: str
) -> None:
    assert (await operator.refused("POST", "orders/cancel", body))[:2] == (status, code)


async def test_what_the_operator_did_is_there_after_a_restart() -> None:
    journal = MemoryJournal()
    public = {"account": "frida", "kind": "ed25519", "public_key": PUBLIC}
    async with operated(journal=journal) as operator:
        await operator.done("POST", "accounts", {"name": "frida"})
        await operator.done("POST", "accounts/frida/deposits", MONEY)
        await operator.done("POST", "keys", public)
        await operator.done("DELETE", f"keys/{key_id_of(READER)}")
        await operator.done("POST", "markets/ETHUSDT/halt")
        before = {
            path: await operator.done("GET", path) for path in ("keys", "accounts", "markets")
        }
        vault = operator.running.venue._vault
    async with operated(journal=journal, vault=vault) as operator:
        for path, rows in before.items():
            assert await operator.done("GET", path) == rows
        async with operator.running.http() as http:
            assert (await Trader(http, ALICE).call("GET", "balances")).status_code == 200
            assert (await Trader(http, READER).call("GET", "balances")).status_code == 401
