"""Every refusal of REST: its status, its code, and a reason that names the value (protocol §9, §10)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.doors.raw import connect, head
from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import ALICE, BOB, READER, Credentials, Trader, now_ms, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

HUGE = "0" * 19 + "1" + "0" * 30
"""More than any count, behind zeros."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    """Alice bids 1000 for 7 lots, under the name `taken`."""
    async with venue(configured(limits(open_orders_per_account=1))) as made:
        async with made.traders() as (alice, _):
            await alice.place("BUY", 7, 1000, clientOrderId="taken")
        yield made


def refused(answer: httpx.Response, status: int, code: str, says: str) -> None:
    """Check a refusal and its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["code", "message", "data"]
    assert answer.json()["code"] == code
    assert says in answer.json()["message"]
    assert answer.json()["data"] is None


@dataclass
class Case:
    status: int
    code: str
    says: str
    body: Any = b""
    method: str = "POST"
    path: str = "order"
    who: Credentials = BOB


def order(status: int, code: str, says: str, **changed: object) -> Case:
    """An order that is good but for what is changed; None leaves a field out."""
    good = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "lots": 5, "ticks": 2000}
    body = {name: value for name, value in {**good, **changed}.items() if value is not None}
    return Case(status, code, says, body)


def bad_order(says: str, **changed: object) -> Case:
    return order(400, "BAD_ORDER", says, **changed)


def amend(status: int, code: str, says: str, **fields: object) -> Case:
    """Of alice's order, which is a bid of 7 lots."""
    return Case(status, code, says, fields, "PATCH", who=ALICE)


def get(status: int, code: str, says: str, path: str) -> Case:
    return Case(status, code, says, method="GET", path=path)


SIGNED = {
    "no symbol": order(400, "BAD_REQUEST", "symbol", symbol=None),
    "unknown symbol": order(404, "UNKNOWN_SYMBOL", "BTCUSD ", symbol="BTCUSD"),
    "symbol no text": order(400, "BAD_REQUEST", "$.symbol", symbol=7),
    "no side": order(400, "BAD_REQUEST", "`side`", side=None),
    "wrong side": bad_order("'buy'", side="buy"),
    "no type": order(400, "BAD_REQUEST", "`type`", type=None),
    "wrong type": bad_order("'STOP'", type="STOP"),
    "wrong type number": bad_order("2", type=2),
    "no size": bad_order("lots or a quantity", lots=None),
    "no price": bad_order("ticks or a price", ticks=None),
    "both sizes": bad_order("lots 5 and quantity 1", quantity="1"),
    "both prices": bad_order("ticks 2000 and price 1", price="1"),
    "lots 0": bad_order("0 lots", lots=0),
    "lots below 0": bad_order("lots -1", lots=-1),
    "lots with a point": order(400, "BAD_REQUEST", "$.lots", lots=1.5),
    "lots in words": bad_order("'five'", lots="five"),
    "lots in other digits": bad_order("'٣'", lots="٣"),
    "lots over the instrument's": bad_order("100000001 lots", lots=100_000_001),
    "lots over all counts": bad_order("9223372036854775808", lots=2**63),
    "lots over all numbers": order(400, "BAD_ORDER", "lots", lots=10**40),
    "ticks 0": bad_order("not 0", ticks=0),
    "a quantity between two lots": bad_order(
        "0.0000015 lies between 0.000001 and 0.000002", lots=None, quantity="0.0000015"
    ),
    "a quantity in exponents": bad_order("'1e-6'", lots=None, quantity="1e-6"),
    "a quantity below 0": bad_order("'-1'", lots=None, quantity="-1"),
    "a price between two ticks": bad_order(
        "1.001 lies between 1 and 1.01", ticks=None, price="1.001"
    ),
    "a price too large": bad_order("too large", ticks=None, price="9" * 30),
    "a price of a market order": bad_order("2000 ticks", type="MARKET"),
    "worth more than can be booked": bad_order("worth more", lots=100_000_000, ticks=10**13),
    "a name too long": bad_order("37 characters", clientOrderId="x" * 37),
    "an empty name": bad_order("0 characters", clientOrderId=""),
    "more than he has": order(
        409, "INSUFFICIENT_BALANCE", "0.00005 ETH are needed, 0 are available", symbol="ETHUSDT"
    ),
    "would take": order(409, "WOULD_TAKE", "at 900 ticks", type="POST_ONLY", ticks=900),
    "no order to amend": amend(404, "UNKNOWN_ORDER", "no open order 999", id=999, lots=1),
    "a quantity of no order": amend(
        404, "UNKNOWN_ORDER", "no order x", clientOrderId="x", quantity="1"
    ),
    "amended to nothing": amend(400, "BAD_ORDER", "lots or to a quantity", id=1),
    "amended to more": amend(400, "BAD_ORDER", "can't grow to 8", id=1, lots=8),
    "amended to 0": amend(400, "BAD_ORDER", "0 lots", id=1, lots=0),
    "amended between two lots": amend(
        400, "BAD_ORDER", "lies between 0.000001 and 0.000002", id=1, quantity="0.0000015"
    ),
    "amended with a point": amend(400, "BAD_REQUEST", "`$.lots`: 1.5", id=1, lots=1.5),
    "amended in both": amend(400, "BAD_ORDER", "both", id=1, lots=5, quantity="0.000005"),
    "amended without an id": amend(400, "BAD_REQUEST", "either", lots=5),
    "reader amends": Case(403, "FORBIDDEN", "trade", {"id": 1, "lots": 5}, "PATCH", who=READER),
    "someone else amends": Case(
        404, "UNKNOWN_ORDER", "no open order 1", {"id": 1, "lots": 5}, "PATCH"
    ),
    "amend no JSON": Case(400, "BAD_JSON", "truncated", b"{", "PATCH"),
    "amend not a number": Case(400, "BAD_JSON", "malformed", b'{"id":1,"lots":NaN}', "PATCH"),
    "amend no body": Case(400, "BAD_JSON", "truncated", method="PATCH"),
    "cancel by a number as a name": Case(
        400, "BAD_REQUEST", "`$.clientOrderId`: 7", {"clientOrderId": 7}, "DELETE"
    ),
    "no order to cancel": Case(
        404, "UNKNOWN_ORDER", "no open order 999", method="DELETE", path="order?id=999"
    ),
    "someone else's order": Case(
        404, "UNKNOWN_ORDER", "order taken", method="DELETE", path="order?clientOrderId=taken"
    ),
    "neither id": Case(400, "BAD_REQUEST", "either", method="DELETE"),
    "both ids": Case(
        400, "BAD_REQUEST", "either", method="DELETE", path="order?id=1&clientOrderId=x"
    ),
    "id no number": Case(400, "BAD_REQUEST", "id 'x'", method="DELETE", path="order?id=x"),
    "id too large": Case(400, "BAD_REQUEST", "id '9", method="DELETE", path="order?id=" + "9" * 40),
    "id too large behind zeros": Case(
        400, "BAD_REQUEST", "id '0", method="DELETE", path=f"order?id={HUGE}"
    ),
    "ids in a list": Case(400, "BAD_REQUEST", "Expected", {"id": [1]}, "DELETE"),
    "cancel body no JSON": Case(400, "BAD_JSON", "truncated", b"{", "DELETE"),
    "cancel body no UTF-8": Case(400, "BAD_JSON", "", b'{"id":"\xff"}', "DELETE"),
    "unknown symbol to cancel": Case(
        404, "UNKNOWN_SYMBOL", "NOPE", method="DELETE", path="orders?symbol=NOPE"
    ),
    "no such order": get(404, "UNKNOWN_ORDER", "no order 999", "order?id=999"),
    "someone else's to see": get(404, "UNKNOWN_ORDER", "taken", "order?clientOrderId=taken"),
    "open orders of nothing": get(404, "UNKNOWN_SYMBOL", "NOPE", "openorders?symbol=NOPE"),
    "window too wide": get(400, "BAD_REQUEST", "recvWindow '60001'", "balances?recvWindow=60001"),
    "window of 0": get(400, "BAD_REQUEST", "recvWindow '0'", "balances?recvWindow=0"),
    "no JSON": Case(400, "BAD_JSON", "truncated", b"{"),
    "no body": Case(400, "BAD_JSON", "truncated"),
    "no object": Case(400, "BAD_REQUEST", "`array`", b"[]"),
    "deep": Case(400, "BAD_JSON", "", b'{"x":' + b"[" * 50_000),
    "no UTF-8": Case(400, "BAD_JSON", "", b'{"symbol":"\xff"}'),
    "a body too large": Case(400, "BAD_REQUEST", "more than 65536 bytes", b" " * 65_537),
    "reader places": Case(403, "FORBIDDEN", "permission trade; the key has read", {}, who=READER),
    "reader cancels": Case(403, "FORBIDDEN", "trade", {}, "DELETE", "orders", READER),
    "a name used": Case(
        409,
        "CLIENT_ORDER_ID_USED",
        "taken is order 1: BUY 7 lots of BTCUSDT, LIMIT at 1000 ticks",
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "lots": 8,
            "ticks": 1000,
            "clientOrderId": "taken",
        },
        who=ALICE,
    ),
    "too many orders": Case(
        409,
        "TOO_MANY_ORDERS",
        "1 orders are open, 1 are allowed",
        {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 8, "ticks": 1000},
        who=ALICE,
    ),
}


@pytest.mark.parametrize("case", SIGNED.values(), ids=SIGNED)
async def test_a_signed_request_is_refused(running: Running, case: Case) -> None:
    async with running.http() as http:
        answer = await Trader(http, case.who).call(case.method, case.path, case.body)
        refused(answer, case.status, case.code, case.says)


@dataclass
class Signing:
    """How a request is signed wrongly."""

    says: str
    who: Credentials = BOB
    off_ms: int = 0
    changed: dict[str, str | None] | None = None


UNSIGNED = {
    "no key": Signing("JAYX-ACCESS-KEY is missing", changed={"JAYX-ACCESS-KEY": None}),
    "no time": Signing("TIMESTAMP is missing", changed={"JAYX-ACCESS-TIMESTAMP": None}),
    "no signature": Signing("SIGN is missing", changed={"JAYX-ACCESS-SIGN": None}),
    "unknown key": Signing("unknown key", Credentials("nobody", "secret")),
    "wrong secret": Signing("does not fit", Credentials(BOB.key, "wrong")),
    "empty signature": Signing("does not fit", changed={"JAYX-ACCESS-SIGN": ""}),
    "strange signature": Signing("does not fit", changed={"JAYX-ACCESS-SIGN": "\xff\xfe"}),
    "another time than signed": Signing("not fit", changed={"JAYX-ACCESS-TIMESTAMP": "17"}),
    "too old": Signing("more than 5000 ms off", off_ms=-6000),
    "too early": Signing("more than 5000 ms off", off_ms=60_000),
}


@pytest.mark.parametrize("case", UNSIGNED.values(), ids=UNSIGNED)
async def test_a_request_that_is_signed_wrongly_is_unauthorized(
    running: Running, case: Signing
) -> None:
    target = "/api/v1/trader/balances"
    made = signed(case.who, "GET", target, timestamp=now_ms() + case.off_ms)
    headers = {**made, **(case.changed or {})}
    kept = {
        name.encode(): value.encode("latin-1")
        for name, value in headers.items()
        if value is not None
    }
    async with running.http() as http:
        refused(await http.get(target, headers=kept), 401, "UNAUTHORIZED", case.says)


async def test_a_timestamp_that_is_no_number_is_named(running: Running) -> None:
    target = "/api/v1/trader/balances"
    async with running.http() as http:
        headers = signed(BOB, "GET", target, timestamp=-1)
        refused(await http.get(target, headers=headers), 401, "UNAUTHORIZED", "timestamp -1 ")


async def test_a_signature_works_once(running: Running) -> None:
    target = "/api/v1/trader/balances"
    headers = signed(BOB, "GET", target)
    async with running.http() as http:
        assert (await http.get(target, headers=headers)).status_code == 200
        refused(await http.get(target, headers=headers), 401, "UNAUTHORIZED", "used before")


@pytest.mark.parametrize("changed", ["method", "query", "body"])
async def test_a_signature_is_good_for_what_it_was_made_for(running: Running, changed: str) -> None:
    headers = signed(BOB, "DELETE", "/api/v1/trader/orders", b"{}")
    method = "GET" if changed == "method" else "DELETE"
    target = "/api/v1/trader/orders?symbol=BTCUSDT" if changed == "query" else None
    content = b'{"symbol":"BTCUSDT"}' if changed == "body" else b"{}"
    path = "/api/v1/trader/openorders" if changed == "method" else "/api/v1/trader/orders"
    async with running.http() as http:
        answer = await http.request(method, target or path, headers=headers, content=content)
        refused(answer, 401, "UNAUTHORIZED", "does not fit")


async def test_wrong_keys_are_not_listened_to_after_too_many() -> None:
    async with venue(configured(limits(failed_keys_per_min=3))) as small, small.http() as http:
        stranger, bob = Trader(http, Credentials("guess", "")), Trader(http, BOB)
        for _ in range(3):
            refused(await stranger.call("GET", "balances"), 401, "UNAUTHORIZED", "unknown key")
        answer = await bob.call("GET", "balances")
        refused(answer, 429, "RATE_LIMITED", "came from 127.0.0.1: wait a minute")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_market_order_without_money_is_refused() -> None:
    async with venue() as fresh, fresh.traders() as (alice, bob):
        await bob.place("SELL", 1, 10**9)
        await alice.place("BUY", 1_000_000, 99_999_999)
        wanted = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "lots": 5}
        answer = await alice.call("POST", "order", wanted)
        refused(answer, 409, "INSUFFICIENT_BALANCE", "10 USDT are needed, 0.01 are available")


async def test_an_exchange_that_takes_no_commands_says_so() -> None:
    async with venue() as fresh, fresh.traders() as (alice, _):
        fresh.venue._desk.close("the exchange is stopping")
        answer = await alice.call("DELETE", "orders")
        refused(answer, 503, "UNAVAILABLE", "the exchange is stopping")
        assert answer.headers["retry-after"] == "1"


async def test_a_client_that_leaves_before_its_body_has_come_is_not_our_fault() -> None:
    headers = {"Host": "x", "Content-Length": "10"}
    async with venue() as fresh, await connect(fresh.port) as client:
        await client.send(head("/api/v1/trader/order", headers, "POST") + b"{")
        await client.close()
