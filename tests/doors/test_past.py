"""What is over, over REST (protocol §9): past orders, own fills, trades by id; and what is refused."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from jayx_stream.history import HistoryError
from tests.doors.running import Running, configured, venue
from tests.doors.test_public import HUGE, PUBLIC
from tests.doors.trader import ALICE, Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN_FIELDS = (
    "fill id order symbol side lots ticks fee feeAsset maker created seq".split()  # noqa: SIM905
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    """Alice and bob have traded a little in two symbols."""
    random = Random(1)
    config = configured()
    rich = tuple(
        msgspec.structs.replace(each, deposits={**each.deposits, "ETH": "100"})
        for each in config.accounts
    )
    async with venue(msgspec.structs.replace(config, accounts=rich)) as made:
        async with made.traders() as (alice, bob):
            for number in range(60):
                symbol = random.choice(("BTCUSDT", "ETHUSDT"))
                await alice.place("SELL", 50, 1000, symbol=symbol, clientOrderId=f"a{number}")
                await bob.place("BUY", random.choice((20, 50)), 1000, symbol=symbol)
            await alice.done("DELETE", "orders?symbol=ETHUSDT")
        yield made


async def pages(trader: Trader, path: str, key: str, limit: int) -> list[Any]:
    """All there is, by paging back."""
    found: list[Any] = []
    before = ""
    while True:
        page, _ = await trader.done("GET", f"{path}limit={limit}{before}")
        found += page
        if len(page) < limit:
            return found
        before = f"&before={page[-1][key]}"


async def test_past_orders_are_the_closed_ones_newest_first(running: Running) -> None:
    async with running.traders() as (alice, _):
        past = await pages(alice, "orders?", "id", 7)
        still, _ = await alice.done("GET", "openorders")
        ids = [order["id"] for order in past]
        assert ids == sorted(ids, reverse=True)
        assert len(past) + len(still) == 60
        assert {order["state"] for order in past} == {"FILLED", "CANCELED"}
        assert list(past[0])[-2:] == ["quantity", "clientOrderId"]
        for order in past[::9]:
            by_id = await alice.done("GET", f"order?id={order['id']}")
            by_name = await alice.done("GET", f"order?clientOrderId={order['clientOrderId']}")
            assert by_id[0] == by_name[0] == order


async def test_pages_go_on_in_both_directions(running: Running) -> None:
    async with running.traders() as (alice, _):
        for path, key in (("orders", "id"), ("trades", "fill"), ("orders?symbol=BTCUSDT", "id")):
            join = "&" if "?" in path else "?"
            whole, _ = await alice.done("GET", f"{path}{join}limit=1000")
            assert await pages(alice, f"{path}{join}", key, 5) == whole
            middle = whole[len(whole) // 2][key]
            later, _ = await alice.done("GET", f"{path}{join}after={middle}&limit=3")
            assert later == whole[len(whole) // 2 - 3 : len(whole) // 2]
            first, last = whole[-1]["created"], whole[0]["created"]
            within, _ = await alice.done("GET", f"{path}{join}from={first}&to={last}&limit=1000")
            assert within == whole
            none, _ = await alice.done("GET", f"{path}{join}from={last + 1}")
            assert none == []
            none, _ = await alice.done("GET", f"{path}{join}to={first - 1}")
            assert none == []


async def test_own_fills_say_what_was_got_and_paid(running: Running) -> None:
    async with running.traders() as (alice, bob):
        alices = await pages(alice, "trades?", "fill", 1000)
        bobs = await pages(bob, "trades?", "fill", 1000)
    assert [fill["fill"] for fill in alices] == [fill["fill"] for fill in bobs]
    for own, other in zip(alices, bobs, strict=True):
        assert list(own) == OWN_FIELDS
        assert (own["side"], own["maker"], own["feeAsset"]) == ("SELL", True, "USDT")
        assert (other["side"], other["maker"]) == ("BUY", False)
        assert other["feeAsset"] == own["symbol"][:3]
        for same in ("id", "symbol", "lots", "ticks", "created", "seq"):
            assert own[same] == other[same]
        if own["symbol"] == "ETHUSDT":
            assert own["fee"] == other["fee"] == "0"
    bitcoin = next(fill for fill in bobs if fill["symbol"] == "BTCUSDT" and fill["lots"] == 50)
    assert bitcoin["fee"] == "0.0000001"


async def test_public_trades_are_paged_by_id(running: Running) -> None:
    async with running.http() as http:

        async def ids(query: str) -> list[int]:
            answer = await http.get(f"{PUBLIC}/trades?symbol=BTCUSDT{query}")
            assert answer.status_code == 200, answer.text
            return [trade["id"] for trade in answer.json()["data"]]

        whole = await ids("&limit=1000")
        last = whole[0]
        assert whole == list(range(last, 0, -1))
        assert await ids(f"&before={last + 1}&limit=1000") == whole
        assert await ids("&before=4") == [3, 2, 1]
        assert await ids("&after=4&limit=2") == [6, 5]
        assert await ids("&after=4&before=6") == [5]
        assert await ids(f"&after={last}") == []
        old = await http.get(f"{PUBLIC}/trades?symbol=BTCUSDT&before={last + 1}&limit=1000")
        new = await http.get(f"{PUBLIC}/trades?symbol=BTCUSDT&limit=1000")
        assert old.json() == new.json()


async def test_what_was_answered_is_in_history_at_once() -> None:
    async with venue() as fresh, fresh.traders() as (alice, bob):
        for _ in range(20):
            await alice.place("SELL", 5, 1000)
            order, seq = await bob.place("BUY", 5, 1000)
            (newest, *_), at = await bob.done("GET", "orders?limit=1")
            assert (newest, at >= seq) == (order, True)
            (fill, *_), _ = await bob.done("GET", "trades?limit=1")
            assert (fill["order"], fill["seq"]) == (order["id"], seq)


async def test_any_order_is_found_ever_after() -> None:
    async with venue() as fresh, fresh.traders() as (alice, _):
        first, _ = await alice.place("BUY", 1, 10, "IOC", clientOrderId="first")
        for _ in range(1001):
            await alice.place("BUY", 1, 10, "IOC")
        assert fresh.venue.projections.orders.find("alice", first["id"], None) is None
        for query in (f"id={first['id']}", "clientOrderId=first"):
            assert (await alice.done("GET", f"order?{query}"))[0] == first


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("orders?limit=0", "BAD_REQUEST", "limit '0'"),
        ("orders?limit=1001", "BAD_REQUEST", "limit '1001'"),
        ("orders?symbol=NOPE", "UNKNOWN_SYMBOL", "NOPE"),
        ("orders?from=x", "BAD_REQUEST", "from 'x'"),
        ("orders?from=20&to=10", "BAD_REQUEST", "from 20 is later than to 10"),
        ("orders?to=-1", "BAD_REQUEST", "to '-1'"),
        (f"orders?to={2**63}", "BAD_REQUEST", f"to '{2**63}'"),
        ("orders?before=1.5", "BAD_REQUEST", "before '1.5'"),
        (f"orders?after={HUGE}", "BAD_REQUEST", HUGE),
        ("trades?limit=x", "BAD_REQUEST", "limit 'x'"),
        ("trades?market=NOPE", "UNKNOWN_SYMBOL", "NOPE"),
        ("trades?before=", "BAD_REQUEST", "before ''"),
        ("trades?from=2&to=1", "BAD_REQUEST", "from 2 is later than to 1"),
        ("order?id=999999", "UNKNOWN_ORDER", "999999"),
        ("order?clientOrderId=none", "UNKNOWN_ORDER", "none"),
    ],
)
async def test_a_question_of_a_trader_is_refused(
    running: Running, path: str, code: str, says: str
) -> None:
    async with running.traders() as (alice, _):
        answer = (await alice.call("GET", path)).json()
    assert (answer["code"], says in answer["message"]) == (code, True), answer


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("trades?symbol=BTCUSDT&before=x", "before 'x'"),
        ("trades?symbol=BTCUSDT&after=-1", "after '-1'"),
        ("klines?symbol=BTCUSDT&interval=60&from=x", "from 'x'"),
        ("klines?symbol=BTCUSDT&interval=60&to=1.0", "to '1.0'"),
        ("klines?symbol=BTCUSDT&interval=60&from=9&to=8", "from 9 is later than to 8"),
        (f"klines?symbol=BTCUSDT&interval=60&to={2**62}", f"to '{2**62}'"),
        ("klines?symbol=BTCUSDT&interval=60&from=1&limit=1001", "limit '1001'"),
    ],
)
async def test_a_question_about_the_past_is_refused(running: Running, path: str, says: str) -> None:
    async with running.http() as http:
        answer = await http.get(f"{PUBLIC}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert says in answer.json()["message"]


async def test_bounds_at_the_edge_are_taken(running: Running) -> None:
    async with running.http() as http:
        trader = Trader(http, ALICE)
        edge = 2**63 - 1
        for path in (f"orders?before={edge}&after=0&from=0", f"trades?before={edge}&after={edge}"):
            await trader.done("GET", path)
        klines = f"{PUBLIC}/klines?symbol=BTCUSDT&interval=604800"
        for query in ("&from=0", "&to=0", "&from=0&to=9223372036", "&from=9223372036"):
            assert (await http.get(klines + query)).status_code == 200, query


async def test_a_history_that_failed_is_unavailable_and_the_venue_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise HistoryError("the disk is gone")

    async with venue() as fresh, fresh.traders() as (alice, _):
        monkeypatch.setattr(fresh.venue.past, "orders", fail)
        answer: httpx.Response = await alice.call("GET", "orders")
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "the disk is gone" in answer.json()["message"]
        await alice.place("BUY", 1, 10)
