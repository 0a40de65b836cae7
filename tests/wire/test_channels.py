"""Streams have one name each (protocol §3)."""

import pytest

from jayx_stream.wire.channels import (
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        (KlineChannel("BTCUSDT", 60), "kline:spot:BTCUSDT:60"),
        (OrderbookChannel("BTCUSDT"), "orderbook:spot:BTCUSDT:1"),
        (OrderbookChannel("BTCUSDT", 100), "orderbook:spot:BTCUSDT:100"),
        (OrderbookChannel("BTCUSDT", 1, 20), "orderbook:spot:BTCUSDT:1:depth=20"),
        (OrderbookChannel("BTCUSDT", 1, 50), "orderbook:spot:BTCUSDT:1"),
        (OrderbookChannel("BTCUSDT", delta=True), "orderbook:spot:BTCUSDT:1:mode=delta"),
        (OrderbookChannel("BTCUSDT", 1, 20, True), "orderbook:spot:BTCUSDT:1:depth=20:mode=delta"),
        (PositionsChannel("alice"), "positions:spot@alice"),
        (OpenOrdersChannel("alice", "BTCUSDT"), "openorders:spot:BTCUSDT@alice"),
        (OpenOrdersChannel("alice"), "openorders:spot@alice"),
    ],
)
def test_canonical_name(channel: Channel, name: str) -> None:
    assert channel.name == name


@pytest.mark.parametrize(
    ("channel", "topic"),
    [
        (KlineChannel("BTCUSDT", 60), ("kline", "BTCUSDT")),
        (OrderbookChannel("BTCUSDT", 100, 5), ("orderbook", "BTCUSDT")),
        (PositionsChannel("alice"), ("account", "alice")),
        (OpenOrdersChannel("alice", "BTCUSDT"), ("account", "alice")),
    ],
)
def test_topic_is_what_makes_it_change(channel: Channel, topic: tuple[str, str]) -> None:
    assert channel.topic == topic
