"""Mutations that know JSON, HTTP and TOML: bytes alone seldom get behind a parser.

Rule: chance comes in as a seed; the same input and seed give the same output.
"""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

VALUES: list[Any] = [
    None,
    True,
    "",
    "BTCUSDT",
    "ETHUSDT",
    "spot",
    "alicekey",
    "BUY",
    "SELL",
    "LIMIT",
    "MARKET",
    "IOC",
    "POST_ONLY",
    "60",
    "0.000001",
    "1e9",
    "one",
    "é\u0000\ud83d\ude00",
    "9" * 60,
    -1,
    0,
    1,
    5,
    36,
    60,
    1000,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**40,
    0.5,
    1e300,
    [],
    {},
]
NAMES = [
    *("event", "message", "data", "id", "category", "symbol", "market", "interval", "limit"),
    *("precise", "depth", "mode", "apiKey", "since", "epoch", "stream", "timestamp", "sign"),
    *("cancelOnDisconnect", "side", "type", "lots", "ticks", "quantity", "price", "clientOrderId"),
    *("recvWindow", "before", "after", "from", "to"),
]
EVENTS = [
    *("kline", "orderbook", "positions", "openorders", "unsubscribe", "subscriptions", "ping"),
    *("login", "order", "amend", "cancel", "cancelAll"),
]
TARGETS = [
    *("public/exchangeInfo", "public/time", "public/ticker", "public/depth", "public/trades"),
    *("public/klines", "trader/order", "trader/orders", "trader/trades", "trader/openorders"),
    *("trader/balances", "openapi.json"),
]
PACKET_HEADS = [
    *(b"40", b"41", b"42", b"4212", b"43", b"431", b"44", b"451-", b"4599-", b"461-", b"6", b"2"),
    *(b"40/other,", b"42/,", b"42/other,7", b"42" + b"9" * 20, b"40/" + b"n" * 70 + b",", b"bAA=="),
]

TOML_VALUES = [
    *(b'""', b'"BTC"', b'"0.000000001"', b'"1e9"', b'"::1"', b'"0.0.0.0"', b'"256.0.0.0/33"'),
    *(b"-1", b"0", b"70000", b"9223372036854775808", b"1.5", b"nan", b"true", b"07:32:00"),
    *(
        b"[]",
        b'["read", "read"]',
        b"[[1]]",
        b"{}",
        b'{a = "b"}',
        b"1979-05-27",
        b"'" + b"x" * 99 + b"'",
    ),
]


def mutate_json(data: bytes, seed: int) -> bytes:
    """One thing in it is another, or gone, or twice there. Raises ValueError if it is no JSON."""
    chance = Random(seed)
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    for _ in range(chance.randint(1, 3)):
        value = _changed(value, chance)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")


def mutate_lines(data: bytes, seed: int) -> bytes:
    """A configuration in which a line is gone, is there twice, stands elsewhere, or says another value."""
    chance = Random(seed)
    lines = data.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            return b"\n".join([*lines[:at], *lines[at + 1 :]])
        case 1:
            return b"\n".join([*lines[:to], lines[at], *lines[to:]])
        case 2:
            value = chance.choice(TOML_VALUES)
        case _:
            value = lines[to].partition(b"=")[2] or b"1"
    name = lines[at].partition(b"=")[0]
    return b"\n".join([*lines[:at], name + b"=" + value, *lines[at + 1 :]])


def mutate_texts(data: bytes, seed: int) -> bytes:
    """One of the texts as `streaming` reads them is another. Raises ValueError if it is no JSON."""
    texts = data.split(b"\x00")
    at = seed // 2 % len(texts)
    return b"\x00".join([*texts[:at], mutate_json(texts[at], seed), *texts[at + 1 :]])


def mutate_packets(data: bytes, seed: int) -> bytes:
    """One of the packets as `emitting` reads them has another head, or other JSON. Raises ValueError if what
    it has is none.
    """
    chance = Random(seed)
    packets = data.split(b"\x1e")
    at = chance.randrange(len(packets))
    begins = re.search(rb"[{\[]|$", packets[at])
    assert begins is not None
    head, body = packets[at][: begins.start()], packets[at][begins.start() :]
    if not body or chance.random() < 0.3:
        head = chance.choice(PACKET_HEADS)
    packets[at] = head + (mutate_json(body, seed) if body else b"")
    return b"\x1e".join(packets)


def mutate_request(data: bytes, seed: int) -> bytes:
    """A request as `asking` reads it, with another body, target or parameter."""
    chance = Random(seed)
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    match chance.randrange(6):
        case 0:
            body = mutate_json(body or b"{}", seed)
        case 1:
            path = f"/api/v1/{chance.choice(TARGETS)}"
        case 2:
            method = chance.choice(("GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"))
        case 3:
            parameters = [part for part in query.split("&") if part]
            chance.shuffle(parameters)
            query = "&".join(parameters[: chance.randrange(4)])
        case 4:
            lines = ["JAYX-ACCESS-SIGN: " + chance.choice(("alice", "bob"))]
        case _:
            value = chance.choice([each for each in VALUES if not isinstance(each, list | dict)])
            query += f"&{chance.choice(NAMES)}={value}".replace(" ", "+").replace("\u0000", "%00")
    target = f"{path}?{query}" if query else path
    text = "\n".join((f"{method} {target}", *lines))
    return text.encode("utf-8", "replace") + b"\n\n" + body


def _changed(value: Any, chance: Random) -> Any:
    if chance.random() < 0.25:
        return chance.choice([*VALUES, *EVENTS])
    if isinstance(value, dict) and value:
        name = chance.choice(list(value))
        more, gone = chance.random() < 0.25, chance.random() < 0.25
        if more:
            return {**value, chance.choice(NAMES): chance.choice(VALUES)}
        if gone:
            return {each: value[each] for each in value if each != name}
        return {**value, name: _changed(value[name], chance)}
    if isinstance(value, list) and value:
        at = chance.randrange(len(value))
        if chance.random() < 0.3:
            return [*value, value[at]]
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return chance.choice(VALUES)


MUTATIONS: dict[str, Callable[[bytes, int], bytes]] = {
    "stream": mutate_texts,
    "socketio": mutate_packets,
    "rest": mutate_request,
    "config": mutate_lines,
}
"""By target; a target that is not here gets bytes alone. ValueError: this one can't be mutated so."""
