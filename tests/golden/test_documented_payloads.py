"""The four response examples of the user's document, through the codec that clients read from."""

from pathlib import Path

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderState, OrderType, OrderView, Side
from jayx_stream.model.units import ASSET_UNIT, NS_PER_MS
from jayx_stream.model.views import (
    Kline,
    KlineChange,
    Level,
    Orderbook,
    OrderChanges,
    Position,
    Positions,
    PublicTrade,
)
from jayx_stream.wire.messages import encode_payload, series_id

HERE = Path(__file__).parent


def documented(name: str) -> bytes:
    return (HERE / f"{name}.json").read_bytes().removesuffix(b"\n")


def test_kline_is_written_as_documented() -> None:
    kline = Kline(
        symbol="BTCUSDT",
        interval_s=60,
        created_s=1716131580,
        open_ticks=6678147,
        high_ticks=6690062,
        low_ticks=6674783,
        close_ticks=6689523,
        lots=241690,
        modified_s=1716131619,
    )
    assert encode_payload(KlineChange(add=None, modify=kline), {}) == documented("kline")


def test_the_documented_kline_id_is_its_start_and_its_series() -> None:
    assert f"{1716131580:08x}{series_id('BTCUSDT', 60)}" == "664a16fccb5c1735c25557a0"


def test_another_symbol_or_interval_has_another_series() -> None:
    series = {series_id(symbol, s) for symbol in ("BTCUSDT", "ETHUSDT") for s in (60, 300)}
    assert len(series) == 4


def test_an_added_kline_stands_under_add_and_nothing_under_modify() -> None:
    kline = Kline("BTCUSDT", 60, 60, 1, 1, 1, 1, 0, 60)
    text = encode_payload(KlineChange(add=kline, modify=None), {})
    assert text.startswith(b'{"add":{"_id":"0000003c')
    assert text.endswith(b'"symbol":"BTCUSDT"},"modify":null}')


def test_orderbook_is_written_as_documented() -> None:
    book = Orderbook(
        asks=(
            Level(ticks=6684363, lots=1004817, count=1),
            Level(ticks=6751207, lots=2993562, count=1),
            Level(ticks=6818050, lots=4992059, count=1),
        ),
        bids=(
            Level(ticks=6657678, lots=997207, count=1),
            Level(ticks=6591101, lots=2989353, count=1),
            Level(ticks=6524524, lots=4989821, count=1),
        ),
        trades=(
            PublicTrade(lots=3779, ticks=6667418, side=Side.BUY, created=1716136436758),
            PublicTrade(lots=591, ticks=6670338, side=Side.BUY, created=1716136436747),
            PublicTrade(lots=1510, ticks=6664049, side=Side.BUY, created=1716136436745),
        ),
        trade_id=3,
    )
    assert encode_payload(book, {}) == documented("orderbook")


def test_positions_are_written_as_documented() -> None:
    btc, usdt = ASSET_UNIT.count("0.000998"), ASSET_UNIT.count("9932.44065")
    positions = Positions((Position("BTC", btc, btc), Position("USDT", usdt, usdt)))
    assert encode_payload(positions, {}) == documented("positions")


def test_openorders_are_written_as_documented() -> None:
    instrument = Instrument.define(
        symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.1", lot_size="0.001"
    )
    order = OrderView(
        order_id=117805625,
        account="alice",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        state=OrderState.NEW,
        lots=1_000_000,
        limit_ticks=10_000,
        remaining_lots=1_000_000,
        executed_lots=0,
        cost=0,
        last_lots=None,
        last_ticks=None,
        created_ns=1716135452487 * NS_PER_MS,
        modified_ns=1716135452487 * NS_PER_MS,
        client_order_id="not to be told",
    )
    changes = OrderChanges(cancel=(), modify=(order,))
    assert encode_payload(changes, {"BTCUSDT": instrument}) == documented("openorders")


def test_a_filled_market_order_has_price_zero_and_its_last_fill() -> None:
    instrument = Instrument.define(
        symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
    )
    order = OrderView(
        1, "alice", "BTCUSDT", Side.SELL, OrderType.MARKET, OrderState.FILLED,
        5, 0, 0, 5, 500, 5, 100, 1_000_000, 2_999_999, None,
    )  # fmt: skip
    text = encode_payload(OrderChanges((), (order,)), {"BTCUSDT": instrument})
    assert text.endswith(
        b'"exec":5,"cost":500,"lastLots":5,"lastTicks":100,"created":1,"modified":2,'
        b'"symbol":"BTCUSDT","price":"0","quantity":"0.000005"}]}'
    )
