"""The messages of the four streams: what they lead to, and how each wrong value is refused."""

from typing import Any

import pytest

from jayx_stream.model.views import INTERVALS_S
from jayx_stream.wire.channels import (
    DEPTHS,
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from tests.wire.client import DOCUMENTED, EPOCH, KLINE, OPENORDERS, ORDERBOOK, POSITIONS, Client


@pytest.mark.parametrize(
    ("event", "message", "channel"),
    [
        ("kline", KLINE, KlineChannel("BTCUSDT", 60)),
        ("kline", {**KLINE, "interval": 604800}, KlineChannel("BTCUSDT", 604800)),
        ("orderbook", ORDERBOOK, OrderbookChannel("BTCUSDT")),
        ("orderbook", {"category": "spot", "symbol": "ETHUSDT"}, OrderbookChannel("ETHUSDT")),
        ("orderbook", {**ORDERBOOK, "precise": 100}, OrderbookChannel("BTCUSDT", 100)),
        ("orderbook", {**ORDERBOOK, "depth": 5}, OrderbookChannel("BTCUSDT", 1, 5)),
        ("orderbook", {**ORDERBOOK, "mode": "delta"}, OrderbookChannel("BTCUSDT", delta=True)),
        ("positions", POSITIONS, PositionsChannel("alice")),
        ("openorders", OPENORDERS, OpenOrdersChannel("alice", "BTCUSDT")),
        ("openorders", POSITIONS, OpenOrdersChannel("alice")),
        ("openorders", {**POSITIONS, "symbol": None}, OpenOrdersChannel("alice")),
    ],
)
def test_a_message_names_its_channel(event: str, message: object, channel: Channel) -> None:
    assert Client().subscribe(event, message).channel == channel


@pytest.mark.parametrize("interval_s", INTERVALS_S)
def test_every_interval_may_be_a_string_or_an_integer(interval_s: int) -> None:
    for interval in (interval_s, str(interval_s)):
        wanted = Client().subscribe("kline", {**KLINE, "interval": interval})
        assert wanted.channel == KlineChannel("BTCUSDT", interval_s)


@pytest.mark.parametrize("precise", [10**power for power in range(7)])
def test_every_power_of_ten_up_to_a_million_is_a_precise(precise: int) -> None:
    for value in (precise, str(precise)):
        wanted = Client().subscribe("orderbook", {**ORDERBOOK, "precise": value})
        assert wanted.channel == OrderbookChannel("BTCUSDT", precise)


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_listed_depth_is_taken(depth: int) -> None:
    wanted = Client().subscribe("orderbook", {**ORDERBOOK, "depth": depth})
    assert wanted.channel == OrderbookChannel("BTCUSDT", 1, depth)


def test_limit_asks_for_history() -> None:
    assert Client().subscribe("kline", KLINE).history == 0
    assert Client().subscribe("kline", {**KLINE, "limit": 1000}).history == 1000


@pytest.mark.parametrize(
    ("event", "changed", "code", "named"),
    [
        ("kline", {"category": "margin"}, "UNKNOWN_CATEGORY", "'margin'"),
        ("orderbook", {"category": "SPOT"}, "UNKNOWN_CATEGORY", "'SPOT'"),
        ("positions", {"category": ""}, "UNKNOWN_CATEGORY", "''"),
        ("openorders", {"category": "x"}, "UNKNOWN_CATEGORY", "'x'"),
        ("kline", {"symbol": "BTCUSD"}, "UNKNOWN_SYMBOL", "BTCUSD"),
        ("orderbook", {"symbol": "btcusdt"}, "UNKNOWN_SYMBOL", "btcusdt"),
        ("openorders", {"symbol": ""}, "UNKNOWN_SYMBOL", "no instrument  in"),
        ("kline", {"interval": "61"}, "BAD_INTERVAL", "'61'"),
        ("kline", {"interval": 1}, "BAD_INTERVAL", "no interval 1;"),
        ("kline", {"interval": -60}, "BAD_INTERVAL", "-60"),
        ("kline", {"interval": "1m"}, "BAD_INTERVAL", "'1m'"),
        ("kline", {"interval": " 60"}, "BAD_INTERVAL", "' 60'"),
        ("kline", {"interval": "٦٠"}, "BAD_INTERVAL", "'٦٠'"),
        ("kline", {"interval": "9" * 5000}, "BAD_INTERVAL", "999"),
        ("kline", {"interval": 60.0}, "BAD_REQUEST", "$.interval"),
        ("kline", {"interval": None}, "BAD_REQUEST", "$.interval"),
        ("kline", {"limit": 1001}, "BAD_REQUEST", "1001"),
        ("kline", {"limit": -1}, "BAD_REQUEST", "-1"),
        ("kline", {"limit": "5"}, "BAD_REQUEST", "$.limit"),
        ("orderbook", {"precise": "2"}, "BAD_PRECISE", "'2'"),
        ("orderbook", {"precise": 10_000_000}, "BAD_PRECISE", "10000000"),
        ("orderbook", {"precise": 0}, "BAD_PRECISE", "precise 0"),
        ("orderbook", {"precise": "-1"}, "BAD_PRECISE", "'-1'"),
        ("orderbook", {"precise": ""}, "BAD_PRECISE", "''"),
        ("orderbook", {"precise": [1]}, "BAD_REQUEST", "$.precise"),
        ("orderbook", {"depth": 51}, "BAD_DEPTH", "51"),
        ("orderbook", {"depth": 0}, "BAD_DEPTH", "no depth 0"),
        ("orderbook", {"mode": "deltas"}, "BAD_REQUEST", "no mode 'deltas'"),
        ("orderbook", {"mode": 1}, "BAD_REQUEST", "$.mode"),
        ("orderbook", {"depth": "50"}, "BAD_REQUEST", "$.depth"),
        ("positions", {"apiKey": "stranger"}, "UNAUTHORIZED", "unknown key"),
        ("openorders", {"apiKey": "stranger"}, "UNAUTHORIZED", "unknown key"),
        ("positions", {"apiKey": "tradeonly"}, "FORBIDDEN", "read"),
        ("positions", {"apiKey": 5}, "BAD_REQUEST", "$.apiKey"),
        ("kline", {"symbol": 5}, "BAD_REQUEST", "$.symbol"),
        ("kline", {"category": None}, "BAD_REQUEST", "$.category"),
    ],
)
def test_a_wrong_value_is_named(event: str, changed: dict[str, Any], code: str, named: str) -> None:
    client = Client()
    found, reason = client.refusal(event, {**DOCUMENTED[event], **changed})
    assert (found, named in reason) == (code, True), reason
    assert client.ask("subscriptions", {})["message"] == {"streams": []}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (event, field)
        for event, message in DOCUMENTED.items()
        for field in message
        if (event, field) not in {("orderbook", "precise"), ("openorders", "symbol")}
    ],
)
def test_a_missing_field_is_named(event: str, field: str) -> None:
    message = {name: value for name, value in DOCUMENTED[event].items() if name != field}
    code, reason = Client().refusal(event, message)
    assert (code, f"`{field}`" in reason) == ("BAD_REQUEST", True), reason


@pytest.mark.parametrize("event", ["klines", "", "Kline", "ack", "__class__"])
def test_an_unknown_event_is_named(event: str) -> None:
    code, reason = Client().refusal(event, KLINE)
    assert code == "UNKNOWN_EVENT"
    assert repr(event) in reason
    assert "kline, orderbook, positions, openorders" in reason


@pytest.mark.parametrize("message", [None, [], "x", 5, True])
def test_a_message_is_an_object(message: object) -> None:
    code, reason = Client().refusal("kline", message)
    assert (code, reason[:18]) == ("BAD_REQUEST", "Expected `object`,")


def test_the_ack_names_what_was_passed_over() -> None:
    client = Client()
    message = {"zeta": 1, **KLINE, "apiKey": "x", "alpha": {"deep": []}}
    assert client.ask_acked("kline", message) == {
        "stream": "kline:spot:BTCUSDT:60",
        "epoch": EPOCH,
        "ignored": ["zeta", "apiKey", "alpha"],
    }


def test_nothing_passed_over_is_not_named() -> None:
    for event, message in DOCUMENTED.items():
        assert "ignored" not in Client().ask_acked(event, message)
