"""The table: what is sent, and what is answered. Limits are those of the defaults, but for deadlines of
a second.
"""

import asyncio
import json
from dataclasses import dataclass

from tests.doors.deflating import OFFER, RSV1, deflated
from tests.doors.raw import BINARY, CONT, PING, TEXT, UPGRADE, frame, request, text
from tests.hostile.attack import Attack, Attacker, asked, http_answer, said, sent, told

BOOK = {"category": "spot", "symbol": "BTCUSDT", "precise": "1"}
KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
GUESS = {"category": "spot", "apiKey": "guess"}
HOST = b"Host: 127.0.0.1\r\n"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    attack: Attack
    answer: str


def many(frames: bytes, times: int, answers: int = 0) -> Attack:
    """The same frames again and again, in one go."""
    return sent(frames * times, answers)


def signed(timestamp: str, sign: str = "AAAA", key: str = "clmsionk21ru") -> Attack:
    """An order with such a signature."""
    body = b"{}"
    headers = (
        f"JAYX-ACCESS-KEY: {key}\r\nJAYX-ACCESS-TIMESTAMP: {timestamp}\r\n"
        f"JAYX-ACCESS-SIGN: {sign}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    return asked(b"POST /api/v1/trader/order HTTP/1.1\r\n" + HOST + headers + body)


def inflating(payload: bytes, times: int = 1, **more: bool) -> Attack:
    """Messages that are compressed, as was agreed on."""
    return sent(frame(TEXT, payload, reserved=RSV1, **more) * times, offer=OFFER)


def got(path: str, method: str = "GET") -> Attack:
    """An open request."""
    line = f"{method} {path} HTTP/1.1\r\n".encode()
    return asked(line + HOST + b"Connection: close\r\n\r\n")


def got_many(times: int) -> Attack:
    """Open requests, all at once."""
    return asked((b"GET /api/v1/public/time HTTP/1.1\r\n" + HOST + b"\r\n") * times)


async def silence(attacker: Attacker) -> str:
    """A connection that says nothing."""
    async with await attacker.connect() as client:
        return http_answer(await client.ended())


async def dribble(attacker: Attacker) -> str:
    """A head that comes byte by byte."""
    head = attacker.head("/", UPGRADE)
    async with await attacker.connect() as client:
        ended = asyncio.create_task(client.ended())
        for byte in head[:-4]:
            await client.send(bytes([byte]))
            await asyncio.sleep(0.02)
            if ended.done():
                break
        return http_answer(await ended)


async def half_open(attacker: Attacker) -> str:
    """Three hundred connections that begin a handshake and stop."""
    clients = [await attacker.connect() for _ in range(300)]
    for client in clients:
        await client.send(attacker.head("/", UPGRADE)[:-2])
    answers = [http_answer(await client.ended()) for client in clients]
    for client in clients:
        await client.close()
    return f"{len(answers)} × {', '.join(sorted(set(answers)))}"


async def crowd(attacker: Attacker) -> str:
    """One WebSocket more than an address may have, and one after another has gone."""
    clients = [await attacker.upgrade() for _ in range(200)]
    async with await attacker.connect() as late:
        await late.send(attacker.head("/", {**UPGRADE, "Connection": "Upgrade, close"}))
        answer = http_answer(await late.ended())
    for client in clients:
        await client.close()
    return f"200 × 101, {answer}"


async def slow_body(attacker: Attacker) -> str:
    """A body that is announced and does not come."""
    head = b"POST /api/v1/trader/order HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n{"
    async with await attacker.connect() as client:
        await client.send(head)
        return http_answer(await client.ended())


async def never_reads(attacker: Attacker) -> str:
    """Seven streams, and for a while not a byte is read: the reader is served when it reads again."""
    async with await attacker.upgrade() as client:
        depths = [request("orderbook", {**BOOK, "precise": str(10**n)}) for n in range(7)]
        await client.send(b"".join(depths))
        await asyncio.sleep(0.3)
        await client.send(request("ping", {}))
        answer = await told(client, answers=8)
    return "served" if "orderbook" in answer else answer


async def subscription_loop(attacker: Attacker) -> str:
    """On and off again as fast as can be, to have snapshots made."""
    pair = request("orderbook", BOOK) + request("unsubscribe", {"event": "orderbook", **BOOK})
    return await many(pair, 1000)(attacker)


async def requests_without_end(attacker: Attacker) -> str:
    """Request after request on one HTTP connection, fifty at a time, until one is refused."""
    one = b"GET /api/v1/public/time HTTP/1.1\r\n" + HOST + b"\r\n"
    answers = b""
    async with await attacker.connect() as client:
        while b"HTTP/1.1 429" not in answers:
            await client.send(one * 50)
            for _ in range(50):
                answers += await client.http_answer()
    return http_answer(answers)


def order(**changed: object) -> str:
    """An order on a stream that is not logged in, as text."""
    message = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
    return json.dumps({"event": "order", "message": {**message, **changed}})


ROWS = (
    # Frames.
    Row("binary frame", sent(frame(BINARY, b"{}")), "close 1003"),
    Row("bad UTF-8", sent(frame(TEXT, b'{"event": "\xff"}')), "close 1007"),
    Row("overlong UTF-8", sent(frame(TEXT, b"\xc0\xaf")), "close 1007"),
    Row("unmasked frame", sent(frame(TEXT, b"{}", masked=False)), "close 1002"),
    Row("reserved bit", sent(frame(TEXT, b"{}", reserved=4)), "close 1002"),
    Row("unknown opcode", sent(frame(3)), "close 1002"),
    Row("control frame of 126 bytes", sent(frame(PING, bytes(126))), "close 1002"),
    Row("continuation of nothing", sent(frame(CONT, b"{}")), "close 1002"),
    Row("frame that announces 2^62 bytes", sent(b"\x81\xff" + (2**62).to_bytes(8)), "close 1009"),
    Row("message over 64 KiB", sent(frame(TEXT, bytes(65537))), "close 1009"),
    Row("4 MB in one frame", sent(frame(TEXT, bytes(4_000_000))), "close 1009"),
    Row(
        "endless fragments",
        sent(frame(TEXT, b" ", fin=False) + frame(CONT, b" ", fin=False) * 500),
        "close 1008",
    ),
    Row(
        "endless empty fragments",
        sent(frame(TEXT, b"", fin=False) + frame(CONT, b"", fin=False) * 500),
        "close 1008",
    ),
    # Compressed frames.
    Row("compressed, not agreed on", sent(frame(TEXT, b"\xaa\x06\x00", reserved=RSV1)), "close 1002"),
    Row("60 KB that become 64 MB", inflating(deflated(bytes(64_000_000))), "close 1009"),
    Row("a first fragment that becomes 60 MB",
        inflating(deflated(bytes(64_000_000))[:60_000], fin=False), "close 1009"),
    Row("bytes that nobody compressed", inflating(b"\xff" * 100), "close 1002"),
    Row("1,000 requests of 64 KiB in 80 KB",
        inflating(deflated(b'{"event":"ping"}'.ljust(65_536)), 1000),
        "pong, RATE_LIMITED, close 4029"),
    Row("HTTP after the upgrade", sent(b"GET / HTTP/1.1\r\n\r\n"), "close 1002"),
    # JSON.
    Row("no JSON", said("hello"), "BAD_JSON"),
    Row("nothing", said(""), "BAD_JSON"),
    Row("JSON 60,000 deep", said("[" * 60_000), "BAD_JSON"),
    Row("objects 10,000 deep", said('{"a":' * 10_000), "BAD_JSON"),
    Row("message 20,000 deep", said('{"event":"kline","message":' + "[" * 20_000), "BAD_JSON"),
    Row("60 KB of one string", said(json.dumps({"event": "x" * 60_000})), "UNKNOWN_EVENT"),
    Row("60 KB of fields", said(json.dumps({f"f{n}": n for n in range(4500)})), "BAD_REQUEST"),
    Row("101 requests in a batch", said(json.dumps([{}] * 101)), "BAD_REQUEST"),
    Row("NaN", said('{"event":"ping","id":NaN}'), "BAD_JSON"),
    Row("Infinity", said('{"event":"ping","id":Infinity}'), "BAD_JSON"),
    Row("1e400", said('{"event":"ping","id":1e400}'), "BAD_REQUEST"),
    Row("id past 2^63", said('{"event":"ping","id":1e19}'), "BAD_REQUEST"),
    Row("limit past 2^63", sent(request("kline", {**KLINE, "limit": 2**63}), 1), "BAD_REQUEST"),
    Row("precise past 2^63", sent(request("orderbook", {**BOOK, "precise": 2**70}), 1), "BAD_PRECISE"),
    Row("lone surrogate", said('{"event": "\\ud800"}'), "BAD_JSON"),
    Row("NUL in a symbol", sent(request("kline", {**KLINE, "symbol": "BTC\0"}), 1), "UNKNOWN_SYMBOL"),
    Row("__proto__", said('{"event":"ping","__proto__":{"event":"order"}}'), "pong"),
    Row("order without login", said(order()), "UNAUTHORIZED"),
    Row("a key twice: the last counts", said('{"event":"order","event":"ping"}'), "pong"),
    Row("a key 4,000 times", said("{" + '"event":"order",' * 4000 + '"event":"ping"}'), "pong"),
    # Floods.
    Row(
        "1,000 requests at once",
        many(text('{"event":"ping"}'), 1000),
        "pong, RATE_LIMITED, close 4029",
    ),
    Row(
        "10,000 bad requests at once",
        many(text("{"), 10_000),
        "BAD_JSON, RATE_LIMITED, close 4029",
    ),
    Row("subscription loop", subscription_loop, "orderbook, RATE_LIMITED, close 4029"),
    Row("guessed keys", many(request("positions", GUESS), 12, 12), "UNAUTHORIZED, RATE_LIMITED"),
    Row("201 WebSockets from one address", crowd, "200 × 101, 429 RATE_LIMITED"),
    Row("300 half-open handshakes", half_open, "300 × closed"),
    Row("HTTP requests without end", requests_without_end, "200 OK, 429 RATE_LIMITED"),
    Row("1,000 HTTP requests, no answer awaited", got_many(1000), "closed"),
    Row("reader that does not read", never_reads, "served"),
    # Handshakes and heads.
    Row("silence", silence, "closed"),
    Row("head byte by byte", dribble, "closed"),
    Row("no HTTP", asked(b"\x16\x03\x01 hello\r\n\r\n"), "400"),
    Row("head of 9 KB", got("/?" + "x" * 9000), "431"),
    Row("5,000 headers", asked(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n"), "431"),
    Row("foreign Origin", asked(
        b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Origin: https://evil.example.org\r\n\r\n"
    ), "403"),
    Row("two lengths", asked(
        b"POST /api/v1/trader/order HTTP/1.1\r\n" + HOST
        + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
    ), "400"),
    Row("length and chunks", asked(
        b"POST /api/v1/trader/order HTTP/1.1\r\n" + HOST
        + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ), "400"),
    Row("TRACE", got("/", "TRACE"), "405 BAD_REQUEST"),
    Row("operator's API on the public port", got("/operator/keys"), "404 BAD_REQUEST"),
    Row("metrics on the public port", got("/metrics"), "404 BAD_REQUEST"),
    Row("path that climbs", got("/static/../../etc/passwd"), "404 BAD_REQUEST"),
    # REST.
    Row("body that does not come", slow_body, "400 BAD_REQUEST"),
    Row("body over 64 KiB", asked(
        b"POST /api/v1/trader/order HTTP/1.1\r\n" + HOST
        + b"Content-Length: 70000\r\n\r\n" + bytes(70_000)
    ), "400 BAD_REQUEST"),
    Row("no signature", got("/api/v1/trader/balances"), "401 UNAUTHORIZED"),
    Row("wrong signature", signed("1"), "401 UNAUTHORIZED"),
    Row("signature that is no base64", signed("1", sign="\xff\xfe"), "401 UNAUTHORIZED"),
    Row("timestamp of 5,000 digits", signed("9" * 5000), "401 UNAUTHORIZED"),
    Row("unknown key of 5,000 characters", signed("1", key="k" * 5000), "401 UNAUTHORIZED"),
    Row("limit past 2^63", got("/api/v1/public/trades?symbol=BTCUSDT&limit=" + "9" * 30), "400 BAD_REQUEST"),
    Row("NUL in a query", got("/api/v1/public/depth?symbol=%00"), "404 UNKNOWN_SYMBOL"),
    Row("bad UTF-8 in a query", got("/api/v1/public/depth?symbol=%ff%fe"), "404 UNKNOWN_SYMBOL"),
    Row("no symbol", got("/api/v1/public/depth"), "400 BAD_REQUEST"),
)  # fmt: skip
