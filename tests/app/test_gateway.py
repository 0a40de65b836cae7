"""Commit by commit, what each stream is told (protocol §4 to §7)."""

import asyncio
import random
from typing import Any

import pytest

from jayx_stream.model.commands import CancelAll
from jayx_stream.model.order import OrderType
from jayx_stream.projections.kline import CLOSED_KLINES_MAX
from jayx_stream.wire.channels import (
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from tests.desk.commands import TRADERS, buy, cancel, sell
from tests.feed.stage import START_S, Stage, klines, orders, payloads

MINUTES = KlineChannel("BTCUSDT", 60)
ALICES = OpenOrdersChannel("alice")
SELDOM = 3_600_000


# Klines.


async def test_the_klines_of_a_symbol_that_never_traded_are_null() -> None:
    stage = Stage()
    reader = stage.reader(MINUTES, history=10)
    assert klines(reader) == [(None, None)]
    stage.minute()
    assert klines(reader) == []
    stage.trade(5, 100, second=7)
    assert klines(reader) == [(None, (60, 100, 100, 100, 100, 5, 67))]


async def test_the_first_push_is_the_current_kline() -> None:
    stage = Stage()
    stage.trade(5, 100, second=7)
    stage.trade(2, 90, second=9)
    expected = [(None, (0, 100, 100, 90, 90, 7, 9))]
    assert klines(stage.reader(MINUTES)) == expected
    assert klines(stage.reader(KlineChannel("BTCUSDT", 300))) == expected


async def test_the_documented_kline_comes_out_of_its_trades() -> None:
    stage = Stage()
    stage.minute(3)
    for lots, ticks, second in (
        (1, 6678147, 0), (2, 6690062, 10), (3, 6674783, 20), (241684, 6689523, 39),
    ):  # fmt: skip
        stage.trade(lots, ticks, second)
    (push,) = payloads(stage.reader(MINUTES))
    assert push == {
        "add": None,
        "modify": {
            "_id": "664a16fccb5c1735c25557a0",
            "created": 1716131580,
            "o": 6678147,
            "h": 6690062,
            "l": 6674783,
            "c": 6689523,
            "v": 241690,
            "m": 1716131619,
            "symbol": "BTCUSDT",
        },
    }


async def test_a_kline_is_modified_once_each_interval_and_told_in_full_when_it_closes() -> None:
    stage = Stage(kline_interval_ms=SELDOM)
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    for second in (2, 3, 4):
        stage.trade(1, 100 + second, second)
    stage.minute()
    assert klines(reader) == [
        (None, (0, 100, 100, 100, 100, 5, 1)),
        (None, (0, 100, 102, 100, 102, 6, 2)),
        ((60, 104, 104, 104, 104, 0, 60), (0, 100, 104, 100, 104, 8, 4)),
    ]


async def test_a_closed_kline_that_was_told_is_not_told_again() -> None:
    stage = Stage()
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    stage.minute()
    stage.minute()
    assert klines(reader)[1:] == [
        ((60, 100, 100, 100, 100, 0, 60), None),
        ((120, 100, 100, 100, 100, 0, 120), None),
    ]


async def test_a_state_told_with_the_minute_is_not_told_once_more() -> None:
    stage = Stage(kline_interval_ms=20)
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    stage.trade(1, 101, second=2)
    stage.trade(1, 102, second=3)
    stage.minute()
    assert len(reader.frames) == 3
    await asyncio.sleep(0.06)
    assert len(reader.frames) == 3


async def test_after_a_pause_every_kline_is_added() -> None:
    stage = Stage(kline_interval_ms=SELDOM)
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    stage.trade(1, 101, second=2)
    stage.trade(1, 102, second=3)
    stage.minute(3)
    adds = [(60, 102, 102, 102, 102, 0, 60), (120, 102, 102, 102, 102, 0, 120)]
    assert klines(reader)[2:] == [
        (adds[0], (0, 100, 102, 100, 102, 7, 3)),
        (adds[1], None),
        ((180, 102, 102, 102, 102, 0, 180), None),
    ]


async def test_a_long_pause_is_told_from_the_kline_that_closed_to_the_newest() -> None:
    stage = Stage(kline_interval_ms=SELDOM)
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    stage.trade(1, 101, second=2)
    stage.trade(1, 102, second=3)
    stage.minute(5000)
    told = klines(reader)[2:]
    assert told[0][1] == (0, 100, 102, 100, 102, 7, 3)
    assert [modify for _, modify in told[1:]] == [None] * (len(told) - 1)
    assert len(told) == CLOSED_KLINES_MAX + 1
    assert told[-1][0] == (300_000, 102, 102, 102, 102, 0, 300_000)


async def test_each_interval_opens_at_its_own_time() -> None:
    stage = Stage()
    stage.trade(5, 100, second=1)
    minutes, fives = stage.reader(MINUTES), stage.reader(KlineChannel("BTCUSDT", 300))
    for _ in range(5):
        stage.minute()
    assert [add[0] for add, _ in klines(minutes)[1:]] == [60, 120, 180, 240, 300]
    assert [add[0] for add, _ in klines(fives)[1:]] == [300]


async def test_another_symbols_trades_are_not_told() -> None:
    stage = Stage()
    reader = stage.reader(KlineChannel("ETHUSDT", 60))
    stage.trade(5, 100, second=1)
    stage.minute()
    assert klines(reader) == [(None, None)]


@pytest.mark.parametrize(("limit", "starts"), [(0, []), (2, [60, 120]), (1000, [0, 60, 120])])
async def test_history_is_the_closed_klines_oldest_first(limit: int, starts: list[int]) -> None:
    stage = Stage()
    stage.trade(5, 100, second=1)
    stage.minute(3)
    *history, present = klines(stage.reader(MINUTES, history=limit))
    assert [(add[0], modify) for add, modify in history] == [(start, None) for start in starts]
    assert present == (None, (180, 100, 100, 100, 100, 0, 180))


async def test_a_slow_reader_gets_every_added_kline_and_its_last_state() -> None:
    stage = Stage()
    stage.trade(5, 100, second=1)
    reader = stage.reader(MINUTES)
    reader.frames.clear()
    reader.stop()
    for minute in range(3):
        for second in range(1, 6):
            stage.trade(1, 200 + 10 * minute + second, second)
        stage.minute()
    reader.read()
    told = klines(reader)
    assert [add[0] for add, _ in told if add] == [60, 120, 180]
    assert [(m[0], m[4]) for _, m in told if m] == [(0, 205), (60, 215), (120, 225)]


# Open orders.


async def test_the_first_push_is_every_open_order_oldest_first() -> None:
    stage = Stage()
    stage.do(buy("alice", 5, 100), buy("bob", 5, 90), sell("alice", 7, 300, symbol="ETHUSDT"))
    stage.do(buy("alice", 4, 100), cancel("alice", 4))
    assert orders(stage.reader(ALICES)) == [([], [(1, "NEW", 5), (3, "NEW", 7)])]
    bitcoin = OpenOrdersChannel("alice", "BTCUSDT")
    assert orders(stage.reader(bitcoin)) == [([], [(1, "NEW", 5)])]
    assert orders(stage.reader(OpenOrdersChannel("carol"))) == [([], [])]


async def test_each_change_of_an_order_is_told_once() -> None:
    stage = Stage()
    reader = stage.reader(ALICES)
    stage.do(
        buy("alice", 5, 100),
        sell("bob", 2, 100),
        sell("bob", 3, 90),
        buy("alice", 1, 50),
        cancel("alice", 4),
        buy("carol", 1, 40),
    )
    assert orders(reader)[1:] == [
        ([], [(1, "NEW", 5)]),
        ([], [(1, "PARTIALLY_FILLED", 3)]),
        ([], [(1, "FILLED", 0)]),
        ([], [(4, "NEW", 1)]),
        ([(4, "CANCELED", 0)], []),
    ]


async def test_all_orders_that_one_commit_changed_stand_in_one_push() -> None:
    stage = Stage()
    stage.do(sell("alice", 1, 100), sell("alice", 1, 101), sell("alice", 5, 102))
    reader = stage.reader(ALICES)
    stage.do(buy("bob", 3, 102), CancelAll(account="alice"))
    assert orders(reader)[1:] == [
        ([], [(1, "FILLED", 0), (2, "FILLED", 0), (3, "PARTIALLY_FILLED", 4)]),
        ([(3, "CANCELED", 0)], []),
    ]


@pytest.mark.parametrize(
    ("type", "lots", "told"),
    [
        (OrderType.MARKET, 3, ([], [(2, "FILLED", 0)])),
        (OrderType.MARKET, 8, ([(2, "CANCELED", 0)], [])),
        (OrderType.IOC, 3, ([], [(2, "FILLED", 0)])),
        (OrderType.IOC, 8, ([(2, "CANCELED", 0)], [])),
        (OrderType.FOK, 3, ([], [(2, "FILLED", 0)])),
        (OrderType.FOK, 8, ([(2, "CANCELED", 0)], [])),
    ],
)
async def test_an_order_that_never_rested_is_told_once(
    type: OrderType, lots: int, told: tuple[list[Any], list[Any]]
) -> None:
    stage = Stage()
    stage.do(sell("bob", 5, 100))
    reader = stage.reader(ALICES)
    stage.do(buy("alice", lots, 0 if type is OrderType.MARKET else 100, type=type))
    assert orders(reader)[1:] == [told]


async def test_self_trade_prevention_is_told_as_a_cancel() -> None:
    stage = Stage()
    stage.do(sell("alice", 5, 100))
    reader = stage.reader(ALICES)
    stage.do(buy("alice", 2, 100))
    assert orders(reader)[1:] == [([(2, "CANCELED", 0)], [])]


async def test_a_stream_of_one_symbol_is_told_of_that_symbol_only() -> None:
    stage = Stage()
    bitcoin, every = stage.reader(OpenOrdersChannel("alice", "BTCUSDT")), stage.reader(ALICES)
    stage.do(buy("alice", 1, 10, symbol="ETHUSDT"), buy("alice", 1, 10))
    stage.do(CancelAll(account="alice"))
    assert orders(bitcoin)[1:] == [([], [(2, "NEW", 1)]), ([(2, "CANCELED", 0)], [])]
    assert orders(every)[1:] == [
        ([], [(1, "NEW", 1)]),
        ([], [(2, "NEW", 1)]),
        ([(1, "CANCELED", 0), (2, "CANCELED", 0)], []),
    ]


@pytest.mark.parametrize("seed", range(5))
async def test_who_folds_the_pushes_has_the_open_orders(seed: int) -> None:
    stage, chance = Stage(), random.Random(seed)
    readers = {trader: stage.reader(OpenOrdersChannel(trader)) for trader in TRADERS}
    for _ in range(200):
        trader, side = chance.choice(TRADERS), chance.choice((buy, sell))
        type = chance.choice([OrderType.LIMIT] * 3 + [OrderType.IOC, OrderType.FOK])
        stage.do(side(trader, chance.randint(1, 9), chance.randint(95, 105), type=type))
        if chance.random() < 0.02:
            stage.do(CancelAll(account=trader))
    for trader, reader in readers.items():
        held: dict[int, Any] = {}
        for message in payloads(reader):
            for order in message["modify"]:
                held[order["id"]] = order
            for order in [*message["cancel"], *message["modify"]]:
                if order["resd"] == 0:
                    held.pop(order["id"], None)
        (fresh,) = payloads(stage.reader(OpenOrdersChannel(trader)))
        assert list(held.values()) == fresh["modify"]


async def test_a_slow_reader_gets_every_change_of_every_order() -> None:
    stage = Stage()
    reader = stage.reader(ALICES)
    reader.stop()
    stage.do(buy("alice", 5, 100), sell("bob", 1, 100), sell("bob", 1, 100), cancel("alice", 1))
    stage.gateway.hub.subscribe(reader.outbox, ALICES, now_s=0.0)
    stage.do(buy("alice", 6, 100))
    stage.gateway.hub.subscribe(reader.outbox, ALICES, now_s=0.0)
    reader.read()
    assert not any("merged" in message for message in reader.messages)
    assert orders(reader)[1:] == [
        ([], [(1, "NEW", 5)]),
        ([], [(1, "PARTIALLY_FILLED", 4)]),
        ([], [(1, "PARTIALLY_FILLED", 3)]),
        ([(1, "CANCELED", 0)], []),
        ([], []),
        ([], [(4, "NEW", 6)]),
        ([], [(4, "NEW", 6)]),
    ]


# Positions.


async def test_positions_are_told_whole_and_at_once() -> None:
    stage = Stage()
    reader = stage.reader(PositionsChannel("alice"))
    stage.do(buy("alice", 1_000_000, 200), buy("bob", 1, 1))
    plenty = "10000000"
    before, after = payloads(reader)
    assert [each["asset"] for each in before["spot"]] == ["BTC", "ETH", "USDT"]
    assert before["spot"][2] == {"asset": "USDT", "balance": plenty, "available": plenty}
    assert after["spot"][:2] == before["spot"][:2]
    assert after["spot"][2] == {"asset": "USDT", "balance": plenty, "available": "9999998"}


async def test_an_account_without_money_has_no_positions() -> None:
    assert payloads(Stage().reader(PositionsChannel("nobody"))) == [{"spot": []}]


async def test_what_one_fill_causes_carries_one_seq_on_every_stream() -> None:
    stage = Stage()
    stage.do(sell("alice", 5, 100))
    channels: list[Channel] = [MINUTES, OrderbookChannel("BTCUSDT")]
    for trader in ("alice", "bob"):
        channels += [PositionsChannel(trader), OpenOrdersChannel(trader)]
    readers = [stage.reader(channel) for channel in channels]
    stage.do(buy("bob", 5, 100))
    last = [reader.messages[-1] for reader in readers]
    assert [message["seq"] for message in last] == [stage.exchange.seq] * len(channels)
    assert [len(reader.frames) for reader in readers] == [2] * len(channels)


# Order book.


async def test_a_book_is_told_with_its_trades_and_the_newest_ones_id() -> None:
    stage = Stage()
    reader = stage.reader(OrderbookChannel("BTCUSDT"))
    stage.do(sell("carol", 5, 100), sell("carol", 5, 101), buy("alice", 3, 90))
    stage.do(buy("bob", 7, 101))
    assert [message["trade"] for message in reader.messages] == [0, 0, 0, 0, 2]
    created = START_S * 1000
    assert payloads(reader)[-1] == {
        "orderBook": {
            "asks": [{"ticks": 101, "lots": 3, "count": 1}],
            "bids": [{"ticks": 90, "lots": 3, "count": 1}],
        },
        "trades": [
            {"lots": 2, "ticks": 101, "side": "BUY", "created": created},
            {"lots": 5, "ticks": 100, "side": "BUY", "created": created},
        ],
    }


async def test_a_book_holds_fifty_trades_and_as_many_levels_as_asked_for() -> None:
    stage = Stage()
    for _ in range(60):
        stage.trade(1, 100)
    stage.do(*(buy("alice", 1, ticks) for ticks in range(1, 61)))
    (book,) = payloads(stage.reader(OrderbookChannel("BTCUSDT")))
    assert (len(book["trades"]), len(book["orderBook"]["bids"])) == (50, 50)
    (small,) = payloads(stage.reader(OrderbookChannel("BTCUSDT", 1, 5)))
    assert [level["ticks"] for level in small["orderBook"]["bids"]] == [60, 59, 58, 57, 56]


async def test_a_book_is_told_when_its_interval_is_over() -> None:
    stage = Stage(orderbook_interval_ms=20)
    reader = stage.reader(OrderbookChannel("BTCUSDT"))
    stage.do(*(buy("alice", 1, ticks) for ticks in range(1, 6)))
    assert len(reader.frames) == 2
    await asyncio.sleep(0.06)
    assert len(reader.frames) == 3
    assert len(payloads(reader)[-1]["orderBook"]["bids"]) == 5


async def test_the_clock_changes_no_book() -> None:
    stage = Stage()
    stage.trade(5, 100)
    reader = stage.reader(OrderbookChannel("BTCUSDT"))
    stage.minute()
    assert len(reader.frames) == 1
