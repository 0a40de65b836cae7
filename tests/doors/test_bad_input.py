"""Whatever a client sends: it gets the answer or the close code that the protocol names (§3, §10), and
everyone else is served as before.
"""

import json
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doors.raw import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, request, text
from tests.doors.running import Running, configured, limits, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT", "precise": "1"}
REQUEST_BYTES = limits().request_bytes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with venue() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def bystander(running: Running) -> AsyncIterator[None]:
    """Someone who is connected all the while, and is served afterwards."""
    async with await running.raw() as client:
        yield
        await client.send(request("kline", KLINE, 1))
        assert (await client.json())["event"] == "ack"
        assert (await client.json())["event"] == "kline"


def kline(**changed: object) -> bytes:
    return request("kline", {**KLINE, **changed})


def orderbook(**changed: object) -> bytes:
    return request("orderbook", {**ORDERBOOK, **changed})


ANSWERED = {
    "nothing": (text(""), "BAD_JSON", "truncated"),
    "half an object": (text('{"event": "kline"'), "BAD_JSON", "truncated"),
    "half an array": (text('[{"event": "ping"}'), "BAD_JSON", "truncated"),
    "words": (text("hello"), "BAD_JSON", "malformed"),
    "two texts": (text("{} {}"), "BAD_JSON", "trailing"),
    "a lone surrogate": (text('{"event": "\\ud800"}'), "BAD_JSON", "truncated"),
    "a number": (text("42"), "BAD_REQUEST", "`int`"),
    "a number too large": (text("1e999"), "BAD_REQUEST", "out of range"),
    "null": (text("null"), "BAD_REQUEST", "`null`"),
    "a string": (text('"kline"'), "BAD_REQUEST", "`str`"),
    "an empty batch": (text("[]"), "BAD_REQUEST", "a batch of 0"),
    "a batch of numbers": (text("[42]"), "BAD_REQUEST", "`int`"),
    "a batch too large": (text(json.dumps([{}] * 101)), "BAD_REQUEST", "a batch of 101"),
    "no event": (text("{}"), "BAD_REQUEST", "`event`"),
    "an event that is no text": (text('{"event": 1}'), "BAD_REQUEST", "$.event"),
    "an id that is no name": (text('{"event":"ping","id":1.5}'), "BAD_REQUEST", "$.id"),
    "an id too long": (text(json.dumps({"event": "ping", "id": "x" * 65})), "BAD_REQUEST", "65"),
    "an unknown event": (request("klines", {}), "UNKNOWN_EVENT", "'klines'"),
    "no message": (text('{"event": "kline"}'), "BAD_REQUEST", "kline needs a message"),
    "a message that is null": (request("kline", None), "BAD_REQUEST", "`null`"),
    "a message that is a list": (request("kline", [1]), "BAD_REQUEST", "`array`"),
    "a message with a field missing": (
        request("kline", {"category": "spot", "symbol": "BTCUSDT"}),
        "BAD_REQUEST",
        "`interval`",
    ),
    "an unknown category": (kline(category="linear"), "UNKNOWN_CATEGORY", "'linear'"),
    "an unknown symbol": (kline(symbol="BTCUSD"), "UNKNOWN_SYMBOL", "BTCUSD"),
    "a symbol that is a number": (kline(symbol=5), "BAD_REQUEST", "$.symbol"),
    "an interval that is not": (kline(interval="61"), "BAD_INTERVAL", "'61'"),
    "an interval that is no number": (kline(interval="1m"), "BAD_INTERVAL", "'1m'"),
    "an interval below 0": (kline(interval=-60), "BAD_INTERVAL", "-60"),
    "a limit too large": (kline(limit=1001), "BAD_REQUEST", "1001"),
    "precise that is no power": (orderbook(precise="2"), "BAD_PRECISE", "'2'"),
    "precise 0": (orderbook(precise=0), "BAD_PRECISE", "0"),
    "precise too large": (orderbook(precise=10**7), "BAD_PRECISE", "10000000"),
    "a depth that is not": (orderbook(depth=7), "BAD_DEPTH", "7"),
    "an unknown key": (
        request("positions", {"category": "spot", "apiKey": "nobody"}),
        "UNAUTHORIZED",
        "unknown key",
    ),
    "no such stream": (
        request("unsubscribe", {"stream": "kline:spot:BTCUSDT:60"}),
        "NOT_SUBSCRIBED",
        "kline:spot:BTCUSDT:60",
    ),
    "unsubscribe from nothing": (request("unsubscribe", {}), "BAD_REQUEST", "needs a stream"),
}


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize(("sent", "code", "says"), ANSWERED.values(), ids=ANSWERED)
async def test_a_bad_request_is_answered_and_the_connection_stays(
    running: Running, sent: bytes, code: str, says: str
) -> None:
    async with await running.raw() as client:
        await client.send(sent)
        answer = await client.json()
        assert answer["event"] == "error"
        assert answer["message"]["code"] == code
        assert says in answer["message"]["reason"]
        await client.send(request("ping", {}))
        assert (await client.json())["event"] == "pong"


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("opening", ["[", '{"a":', '{"event":"ping","message":['])
async def test_json_of_any_depth_is_answered(running: Running, opening: str) -> None:
    deep = (opening + "[" * 60_000)[:60_000]
    async with await running.raw() as client:
        await client.send(text(deep))
        assert (await client.json())["message"]["code"] in ("BAD_JSON", "BAD_REQUEST")


async def test_an_error_names_its_request_and_its_id(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(request("kline", {**KLINE, "symbol": "BTCUSD"}, 12))
        assert await client.json() == {
            "event": "error",
            "id": 12,
            "message": {
                "code": "UNKNOWN_SYMBOL",
                "reason": "no instrument BTCUSD in category spot",
                "request": {
                    "event": "kline",
                    "message": {**KLINE, "symbol": "BTCUSD"},
                    "id": 12,
                },
            },
        }


def fragments(count: int, payload: bytes = b" ") -> bytes:
    """The first `count` fragments of a text that goes on."""
    return frame(TEXT, payload, fin=False) + frame(CONT, payload, fin=False) * (count - 1)


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


CLOSED = {
    "a binary frame": (frame(BINARY, b"{}"), 1003),
    "a binary frame in fragments": (frame(BINARY, b"{}", fin=False), 1003),
    "a text too long": (frame(TEXT, bytes(REQUEST_BYTES + 1)), 1009),
    "a text too long, announced only": (b"\x81\xff" + (2**62).to_bytes(8, "big"), 1009),
    "fragments too long together": (fragments(3, bytes(REQUEST_BYTES // 2)), 1009),
    "too many fragments": (fragments(65), 1008),
    "bad UTF-8": (frame(TEXT, b'{"event": "\xff"}'), 1007),
    "half a character": (frame(TEXT, "é".encode()[:1]), 1007),
    "an overlong character": (frame(TEXT, b"\xc0\xaf"), 1007),
    "an unmasked frame": (frame(TEXT, b"{}", masked=False), 1002),
    "the first reserved bit": (frame(TEXT, b"{}", reserved=4), 1002),
    "the last reserved bit": (frame(TEXT, b"{}", reserved=1), 1002),
    "an unknown data opcode": (frame(3), 1002),
    "an unknown control opcode": (frame(11), 1002),
    "a continuation of nothing": (frame(CONT, b"{}"), 1002),
    "a text within a text": (fragments(1) + frame(TEXT, b"{}"), 1002),
    "a ping in fragments": (frame(PING, fin=False), 1002),
    "a ping too long": (frame(PING, bytes(126)), 1002),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close with a code that is not": (closing(999), 1002),
    "a close with a code that is never sent": (closing(1005), 1002),
    "a close with bad UTF-8": (closing(1000, b"\xff"), 1007),
    "a close": (closing(1000, b"goodbye"), 1000),
    "a close with a code of its own": (closing(4321), 4321),
    "a close without a code": (frame(CLOSE), 0),
    "what is not WebSocket at all": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002),
}


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize(("sent", "code"), CLOSED.values(), ids=CLOSED)
async def test_a_breach_closes_with_its_code(running: Running, sent: bytes, code: int) -> None:
    async with await running.raw() as client:
        await client.send(sent)
        assert await client.closed_with() == code


@pytest.mark.usefixtures("bystander")
async def test_who_sends_far_too_much_still_reads_why_he_is_closed(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(TEXT, bytes(4_000_000)))
        assert await client.closed_with() == 1009


@pytest.mark.usefixtures("bystander")
async def test_the_largest_request_is_read(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(TEXT, b'{"event":"ping"}'.ljust(REQUEST_BYTES)))
        assert (await client.json())["event"] == "pong"
        await client.send(fragments(63) + frame(CONT, b'{"event":"ping"}'))
        assert (await client.json())["event"] == "pong"


@pytest.mark.usefixtures("bystander")
async def test_a_ping_is_answered_with_its_own_bytes(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(PING, bytes(range(125))) + frame(PONG, b"unasked"))
        assert await client.opcode_and_payload() == (PONG, bytes(range(125)))
        await client.send(request("ping", {}))
        assert (await client.json())["event"] == "pong"


@pytest.mark.usefixtures("bystander")
async def test_an_end_without_goodbye_is_taken(running: Running) -> None:
    client = await running.raw()
    await client.send(request("kline", KLINE) + b"\x81")
    await client.close()


@pytest.mark.usefixtures("bystander")
async def test_noise_never_breaks_the_server(running: Running) -> None:
    dice = random.Random(20240519)
    good = request("kline", KLINE) + request("orderbook", ORDERBOOK) + frame(PING, b"x")
    for _ in range(300):
        noise = bytearray(good * 3)
        for _ in range(dice.randint(1, 8)):
            noise[dice.randrange(len(noise))] = dice.randrange(256)
        client = await running.raw()
        await client.send(bytes(noise[: dice.randint(1, len(noise))]))
        await client.close()


async def test_a_flood_is_refused_and_then_closed() -> None:
    bounds = limits(requests_per_s=1, requests_burst=5)
    async with venue(configured(bounds)) as small, await small.raw() as client:
        await client.send(text('{"event":"ping","id":7}') * 5)
        for _ in range(5):
            assert (await client.json())["event"] == "pong"
        await client.send(text('{"event":"ping","id":7}') * 30)
        refused = await client.json()
        while refused["event"] == "pong":
            refused = await client.json()
        assert refused["id"] == 7
        assert refused["message"]["code"] == "RATE_LIMITED"
        assert "more than 1 requests a second" in refused["message"]["reason"]
        assert await client.closed_with() == 4029


async def test_a_batch_counts_as_its_requests() -> None:
    bounds = limits(requests_per_s=1, requests_burst=5)
    async with venue(configured(bounds)) as small, await small.raw() as client:
        await client.send(text(json.dumps([{"event": "ping"}] * 100)))
        assert await client.closed_with() == 4029


async def test_one_stream_more_than_allowed_is_refused() -> None:
    async with venue(configured(limits(streams_per_connection=2))) as small:
        async with await small.raw() as client:
            for interval in (60, 300, 900):
                await client.send(kline(interval=interval))
            assert [(await client.json())["event"] for _ in range(2)] == ["kline", "kline"]
            refused = (await client.json())["message"]
            assert refused["code"] == "TOO_MANY_STREAMS"
            assert "kline:spot:BTCUSDT:900 would be one more than 2" in refused["reason"]
            await client.send(kline(interval=60))
            assert (await client.json())["event"] == "kline"


async def test_wrong_keys_are_not_listened_to_after_too_many() -> None:
    async with venue(configured(limits(failed_keys_per_min=3))) as small:
        async with await small.raw() as client:
            wrong = request("positions", {"category": "spot", "apiKey": "guess"})
            await client.send(wrong * 4)
            codes = [(await client.json())["message"]["code"] for _ in range(4)]
            assert codes == ["UNAUTHORIZED"] * 3 + ["RATE_LIMITED"]
