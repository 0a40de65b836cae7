"""REST as a trader uses it: what is done is answered with its seq, and is seen at once (protocol §9)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import BOB, READER, Trader, now_ms, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with venue() as made:
        yield made


async def test_an_order_is_answered_with_all_its_fields_in_the_documents_order(
    running: Running,
) -> None:
    async with running.traders() as (alice, _):
        order, seq = await alice.place("BUY", 1500, 100_000, clientOrderId="first")
        fields = "id type state side resd exec cost lastLots lastTicks created modified symbol"
        assert list(order) == [*fields.split(), "price", "quantity", "clientOrderId"]
        assert (order["price"], order["quantity"]) == ("1000", "0.0015")
        assert order["clientOrderId"] == "first"
        assert seq == running.venue.projections.seq


async def test_an_answer_is_seen_by_whatever_is_asked_next(running: Running) -> None:
    async with running.traders() as (alice, _):
        order, seq = await alice.place("BUY", 10, 1000)
        for path in (f"order?id={order['id']}", "openorders", "openorders?symbol=BTCUSDT"):
            data, seen = await alice.done("GET", path)
            assert seen >= seq
            assert order["id"] in [each["id"] for each in (data if path[4] == "o" else [data])]
        before, _ = await alice.done("GET", "balances")
        _, seq = await alice.cancel(order["id"])
        after, seen = await alice.done("GET", "balances")
        assert seen >= seq
        assert float(after["spot"][1]["available"]) > float(before["spot"][1]["available"])


@pytest.mark.parametrize(
    "written",
    [
        {"symbol": "BTCUSDT", "type": "LIMIT", "lots": 1500, "ticks": 100},
        {"market": "BTCUSDT", "type": 0, "lots": "1500", "ticks": "100"},
        {"symbol": "BTCUSDT", "type": "LIMIT", "quantity": "0.0015", "price": "1.00"},
        {"symbol": "BTCUSDT", "type": "POST_ONLY", "lots": 1500, "price": "1"},
    ],
)
async def test_an_order_can_be_written_in_several_ways(
    running: Running, written: dict[str, object]
) -> None:
    async with running.traders() as (alice, _):
        order, _ = await alice.done("POST", "order", {"side": "BUY", **written})
        assert (order["resd"], order["price"], order["symbol"]) == (1500, "1", "BTCUSDT")
        await alice.cancel(order["id"])


@pytest.mark.parametrize("type", ["MARKET", "IOC", "FOK", 1, 4, 5])
async def test_an_order_that_does_not_rest_is_over_when_it_is_answered(
    running: Running, type: str | int
) -> None:
    price = {} if type in ("MARKET", 1) else {"ticks": 500}
    wanted = {"symbol": "ETHUSDT", "side": "BUY", "type": type, "lots": 5, **price}
    async with running.traders() as (_, bob):
        order, _ = await bob.done("POST", "order", wanted)
        assert (order["state"], order["resd"], order["exec"]) == ("CANCELED", 0, 0)
        found, _ = await bob.done("GET", f"order?id={order['id']}")
        assert found == order


async def test_the_same_order_again_under_its_name_places_nothing(running: Running) -> None:
    async with running.traders() as (alice, bob):
        first, seq = await alice.place("BUY", 7, 900, clientOrderId="again")
        again, later = await alice.place("BUY", 7, 900, clientOrderId="again")
        assert again == first
        assert later >= seq
        await alice.done("DELETE", "order?clientOrderId=again")
        gone, _ = await alice.place("BUY", 7, 900, clientOrderId="again")
        assert (gone["id"], gone["state"]) == (first["id"], "CANCELED")
        assert (await alice.done("GET", "order?clientOrderId=again"))[0] == gone
        other, _ = await bob.place("BUY", 7, 900, clientOrderId="again")
        assert other["id"] != first["id"]


async def test_the_same_order_many_times_at_once_is_one_order(running: Running) -> None:
    async with running.traders() as (alice, _):
        answers = await asyncio.gather(
            *(alice.place("BUY", 7, 901, clientOrderId="at once") for _ in range(20))
        )
        assert len({order["id"] for order, _ in answers}) == 1


async def test_an_order_is_canceled_by_either_id_in_query_or_body(running: Running) -> None:
    async with running.traders() as (alice, _):
        for number, by in enumerate(("query id", "body id", "query name", "body name")):
            name = f"cancel {number}"
            order, _ = await alice.place("BUY", 1, 10, clientOrderId=name)
            where, what = by.split()
            if where == "body":
                body = {"id": order["id"]} if what == "id" else {"clientOrderId": name}
                gone, _ = await alice.done("DELETE", "order", body)
            else:
                query = f"id={order['id']}" if what == "id" else f"clientOrderId=cancel%20{number}"
                gone, _ = await alice.done("DELETE", f"order?{query}")
            assert (gone["id"], gone["state"], gone["resd"]) == (order["id"], "CANCELED", 0)


async def test_an_order_is_amended_by_either_id_in_lots_or_quantity(running: Running) -> None:
    async with running.traders() as (alice, _):
        for number, (by, size) in enumerate(
            (by, size)
            for by in ("id", "clientOrderId")
            for size in ({"lots": 3}, {"lots": "3"}, {"quantity": "0.000003"})
        ):
            name = f"amend {number}"
            order, placed = await alice.place("BUY", 9, 10, clientOrderId=name)
            which = {by: order["id"] if by == "id" else name}
            smaller, seq = await alice.done("PATCH", "order", {**which, **size})
            assert seq > placed
            assert smaller == {
                **order,
                "resd": 3,
                "quantity": "0.000003",
                "modified": smaller["modified"],
            }
            assert (await alice.done("GET", f"order?id={order['id']}"))[0] == smaller
            again, _ = await alice.done("PATCH", "order", {**which, **size})
            assert again == smaller
            await alice.cancel(order["id"])


async def test_amended_to_what_is_executed_an_order_is_filled() -> None:
    async with venue() as fresh, fresh.traders() as (alice, bob):
        order, _ = await alice.place("BUY", 9, 1000)
        await bob.place("SELL", 4, 1000)
        done, _ = await alice.done("PATCH", "order", {"id": order["id"], "lots": 4})
        assert (done["state"], done["exec"], done["resd"]) == ("FILLED", 4, 0)
        assert (await alice.done("GET", "openorders"))[0] == []


async def test_cancel_all_cancels_all_or_one_symbols() -> None:
    async with venue() as fresh, fresh.traders() as (alice, bob):
        for symbol in ("BTCUSDT", "ETHUSDT", "BTCUSDT"):
            await alice.place("BUY", 1, 10, symbol=symbol)
        kept, _ = await bob.place("BUY", 1, 10)
        gone, seq = await alice.done("DELETE", "orders?symbol=BTCUSDT")
        assert [order["symbol"] for order in gone] == ["BTCUSDT"] * 2
        assert (await alice.done("GET", "openorders"))[1] == seq
        gone, _ = await alice.done("DELETE", "orders")
        assert [order["symbol"] for order in gone] == ["ETHUSDT"]
        assert (await alice.done("DELETE", "orders"))[0] == []
        left, _ = await bob.done("GET", "openorders")
        assert [order["id"] for order in left] == [kept["id"]]


async def test_balances_have_the_form_of_the_positions_stream() -> None:
    async with venue() as fresh, fresh.traders() as (alice, _):
        data, _ = await alice.done("GET", "balances")
        assert data == {
            "spot": [
                {"asset": "BTC", "balance": "100", "available": "100"},
                {"asset": "USDT", "balance": "1000000", "available": "1000000"},
            ]
        }


async def test_a_key_that_may_only_read_reads(running: Running) -> None:
    async with running.http() as http:
        reader, bob = Trader(http, READER), Trader(http, BOB)
        assert (await reader.done("GET", "balances")) == (await bob.done("GET", "balances"))


async def test_a_wider_window_takes_an_older_timestamp(running: Running) -> None:
    target = "/api/v1/trader/balances?recvWindow=60000"
    async with running.http() as http:
        headers = signed(BOB, "GET", target, timestamp=now_ms() - 30_000)
        assert (await http.get(target, headers=headers)).status_code == 200


async def test_orders_over_the_rate_are_refused_with_the_time_to_wait() -> None:
    async with venue(configured(limits(orders_per_s=2))) as fresh, fresh.traders() as (alice, bob):
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
        answers = await asyncio.gather(*(alice.call("POST", "order", order) for _ in range(20)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 10
        for answer in refused:
            assert answer.headers["retry-after"] == "1"
            assert answer.json() == {
                "code": "RATE_LIMITED",
                "message": "more than 2 orders a second by alice",
                "data": None,
            }
        await bob.place("BUY", 1, 1)
