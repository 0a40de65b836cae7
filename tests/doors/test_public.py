"""What anyone may ask about the market (protocol §9), and the server's own state."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.doors.running import TIME_MS, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "/api/v1/public"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Of a venue with a book and two trades."""
    async with venue() as running, running.http() as client:
        async with running.traders() as (alice, bob):
            for lots, ticks in ((10, 1000), (20, 1010)):
                await alice.place("SELL", lots, ticks)
                await bob.place("BUY", lots, ticks)
            for lots, ticks in ((5, 1011), (6, 1015), (7, 1021)):
                await alice.place("SELL", lots, ticks)
            for lots, ticks in ((1, 1009), (2, 1001), (3, 999)):
                await bob.place("BUY", lots, ticks)
        yield client


async def asked(http: httpx.AsyncClient, path: str) -> Any:
    """The data of an answer."""
    response = await http.get(f"{PUBLIC}/{path}")
    assert response.status_code == 200, response.text
    answer = response.json()
    assert list(answer) == ["code", "data", "seq"]
    assert answer["code"] == "OK"
    assert answer["seq"] > 0
    return answer["data"]


async def test_exchange_info_says_what_is_traded_and_allowed(http: httpx.AsyncClient) -> None:
    info = await asked(http, "exchangeInfo")
    assert info["instruments"][0] == {
        "symbol": "BTCUSDT",
        "category": "spot",
        "status": "TRADING",
        "base": "BTC",
        "quote": "USDT",
        "tickSize": "0.01",
        "lotSize": "0.000001",
        "minLots": 1,
        "maxLots": 100_000_000,
        "makerFee": "0.002",
        "takerFee": "0.002",
    }
    assert [each["symbol"] for each in info["instruments"]] == ["BTCUSDT", "ETHUSDT"]
    assert info["limits"]["requestBytes"] == 65_536
    assert info["intervals"][:2] == [60, 300]
    assert info["depths"] == [5, 10, 20, 50, 200, 1000]
    assert info["precises"] == [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    assert info["orderTypes"] == [
        {"name": "LIMIT", "number": 0},
        {"name": "MARKET", "number": 1},
        {"name": "IOC", "number": 5},
        {"name": "FOK", "number": 4},
        {"name": "POST_ONLY", "number": None},
    ]


async def test_time_gives_both_clocks(http: httpx.AsyncClient) -> None:
    times = await asked(http, "time")
    assert times["venueTime"] == TIME_MS
    assert times["time"] > TIME_MS


async def test_depth_gives_the_book_as_the_stream_does(http: httpx.AsyncClient) -> None:
    assert await asked(http, "depth?symbol=BTCUSDT") == {
        "asks": [
            {"ticks": 1011, "lots": 5, "count": 1},
            {"ticks": 1015, "lots": 6, "count": 1},
            {"ticks": 1021, "lots": 7, "count": 1},
        ],
        "bids": [
            {"ticks": 1009, "lots": 1, "count": 1},
            {"ticks": 1001, "lots": 2, "count": 1},
            {"ticks": 999, "lots": 3, "count": 1},
        ],
    }
    assert await asked(http, "depth?market=BTCUSDT&precise=10&depth=5") == {
        "asks": [{"ticks": 1020, "lots": 11, "count": 2}, {"ticks": 1030, "lots": 7, "count": 1}],
        "bids": [{"ticks": 1000, "lots": 3, "count": 2}, {"ticks": 990, "lots": 3, "count": 1}],
    }
    assert await asked(http, "depth?symbol=ETHUSDT") == {"asks": [], "bids": []}


async def test_ticker_tells_what_was_traded_within_a_day(http: httpx.AsyncClient) -> None:
    minute_ms, day_ms = 60_000, 86_400_000
    this_minute_ms = TIME_MS - TIME_MS % minute_ms
    traded = await asked(http, "ticker?symbol=BTCUSDT")
    assert traded == {
        "symbol": "BTCUSDT",
        "lastTicks": 1010,
        "openTicks": 1000,
        "highTicks": 1010,
        "lowTicks": 1000,
        "lots": 30,
        "cost": 10 * 1000 + 20 * 1010,
        "count": 2,
        "firstTradeId": 1,
        "lastTradeId": 2,
        "bidTicks": 1009,
        "bidLots": 1,
        "askTicks": 1011,
        "askLots": 5,
        "openTime": this_minute_ms - day_ms,
        "closeTime": this_minute_ms + minute_ms,
    }
    untraded = await asked(http, "ticker?market=ETHUSDT")
    assert {name for name, value in untraded.items() if value is None} == {
        *("lastTicks", "openTicks", "highTicks", "lowTicks", "firstTradeId", "lastTradeId"),
        *("bidTicks", "bidLots", "askTicks", "askLots"),
    }
    assert (untraded["lots"], untraded["cost"], untraded["count"]) == (0, 0, 0)
    assert await asked(http, "ticker") == [traded, untraded]


async def test_trades_have_consecutive_ids_newest_first(http: httpx.AsyncClient) -> None:
    newest = {"id": 2, "lots": 20, "ticks": 1010, "side": "BUY", "created": TIME_MS}
    oldest = {"id": 1, "lots": 10, "ticks": 1000, "side": "BUY", "created": TIME_MS}
    assert await asked(http, "trades?symbol=BTCUSDT") == [newest, oldest]
    assert await asked(http, "trades?symbol=BTCUSDT&limit=1") == [newest]
    assert await asked(http, "trades?symbol=ETHUSDT") == []


async def test_klines_end_with_the_open_one(http: httpx.AsyncClient) -> None:
    klines = await asked(http, "klines?symbol=BTCUSDT&interval=60")
    assert klines == [
        {
            "_id": "664a16fccb5c1735c25557a0",
            "created": 1716131580,
            "o": 1000,
            "h": 1010,
            "l": 1000,
            "c": 1010,
            "v": 30,
            "m": 1716131619,
            "symbol": "BTCUSDT",
        }
    ]
    assert len(await asked(http, "klines?symbol=BTCUSDT&interval=604800&limit=1")) == 1
    assert await asked(http, "klines?symbol=ETHUSDT&interval=60") == []


async def test_health_and_readiness_are_told(http: httpx.AsyncClient) -> None:
    for path, status in (("/health", "ok"), ("/ready", "ready")):
        response = await http.get(path)
        assert response.status_code == 200
        assert response.json() == {"status": status}


HUGE = "0" * 19 + "1" + "0" * 30
"""More than any count, behind zeros."""

REFUSED = {
    "depth": (400, "BAD_REQUEST", "symbol"),
    "depth?symbol=": (404, "UNKNOWN_SYMBOL", "no instrument "),
    "depth?symbol=NOPE": (404, "UNKNOWN_SYMBOL", "NOPE"),
    "depth?symbol=BTCUSDT&precise=": (400, "BAD_PRECISE", "''"),
    "depth?symbol=BTCUSDT&precise=3": (400, "BAD_PRECISE", "'3'"),
    "depth?symbol=BTCUSDT&precise=x": (400, "BAD_PRECISE", "'x'"),
    f"depth?symbol=BTCUSDT&precise={HUGE}": (400, "BAD_PRECISE", HUGE),
    "depth?symbol=BTCUSDT&depth=7": (400, "BAD_DEPTH", "7"),
    "depth?symbol=BTCUSDT&depth=x": (400, "BAD_DEPTH", "x"),
    "depth?symbol=BTCUSDT&depth=5000": (400, "BAD_DEPTH", "5000"),
    "trades": (400, "BAD_REQUEST", "symbol"),
    "trades?symbol=NOPE": (404, "UNKNOWN_SYMBOL", "NOPE"),
    "trades?symbol=BTCUSDT&limit=0": (400, "BAD_REQUEST", "limit '0'"),
    "trades?symbol=BTCUSDT&limit=1001": (400, "BAD_REQUEST", "limit '1001'"),
    "trades?symbol=BTCUSDT&limit=-1": (400, "BAD_REQUEST", "limit '-1'"),
    "trades?symbol=BTCUSDT&limit=%D9%A3": (400, "BAD_REQUEST", "limit '٣'"),
    f"trades?symbol=BTCUSDT&limit={HUGE}": (400, "BAD_REQUEST", HUGE),
    f"trades?symbol=BTCUSDT&limit={'0' * 19}1{'0' * 5000}": (400, "BAD_REQUEST", "limit '0"),
    "ticker?symbol=": (404, "UNKNOWN_SYMBOL", "no instrument "),
    "ticker?symbol=NOPE": (404, "UNKNOWN_SYMBOL", "NOPE"),
    "klines?symbol=BTCUSDT": (400, "BAD_INTERVAL", "interval is missing"),
    "klines?symbol=BTCUSDT&interval=": (400, "BAD_INTERVAL", "''"),
    "klines?symbol=BTCUSDT&interval=61": (400, "BAD_INTERVAL", "'61'"),
    "klines?symbol=BTCUSDT&interval=60&limit=x": (400, "BAD_REQUEST", "limit 'x'"),
    "nothing": (404, "BAD_REQUEST", "GET /api/v1/public/nothing"),
    "../../../etc/passwd": (404, "BAD_REQUEST", "nothing at GET"),
}


@pytest.mark.parametrize(("path", "answered"), REFUSED.items(), ids=[key[:40] for key in REFUSED])
async def test_a_public_question_is_refused(
    http: httpx.AsyncClient, path: str, answered: tuple[int, str, str]
) -> None:
    status, code, says = answered
    response = await http.get(f"{PUBLIC}/{path}")
    assert response.status_code == status, response.text
    assert response.json()["code"] == code
    assert says in response.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/public/time", 405),
        ("DELETE", "/api/v1/public/depth", 405),
        ("PUT", "/api/v1/trader/order", 405),
        ("POST", "/api/v1/trader/balances", 405),
        ("OPTIONS", "/api/v1/trader/order", 405),
        ("POST", "/", 405),
        ("POST", "/health", 405),
        ("GET", "/api/v1/trader", 404),
        ("GET", "/api/v1/public/time/", 404),
        ("GET", "/api/v2/trader/order", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", "/metrics", 404),
        ("GET", "/%00", 404),
    ],
)
async def test_what_is_not_there_is_refused_in_the_same_form(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await http.request(method, path)
    assert response.status_code == status
    assert list(response.json()) == ["code", "message", "data"]
    if status == 405:
        assert method in response.json()["message"]
        assert "GET" in response.headers["allow"]


async def test_a_wrong_method_is_told_the_right_ones(http: httpx.AsyncClient) -> None:
    for path, allowed in (
        ("public/time", "GET, HEAD"),
        ("trader/order", "DELETE, GET, HEAD, PATCH, POST"),
        ("trader/orders", "DELETE, GET, HEAD"),
    ):
        response = await http.put(f"/api/v1/{path}")
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


async def test_answers_name_no_software(http: httpx.AsyncClient) -> None:
    assert "server" not in (await http.get("/health")).headers


async def test_many_questions_go_over_one_connection(http: httpx.AsyncClient) -> None:
    for _ in range(20):
        assert (await http.get("/health")).headers.get("connection") != "close"
