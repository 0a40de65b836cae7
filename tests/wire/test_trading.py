"""Orders as clients write them (protocol §9)."""

from typing import Any

import pytest
from msgspec import json

from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import as_error, placed_order, read_order

BTCUSDT = Instrument.define(
    symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
)
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1000, "ticks": 6684363}


def read(**changed: Any) -> PlaceOrder:
    """The command of a good order with some fields changed; None leaves one out."""
    fields = {name: value for name, value in {**LIMIT, **changed}.items() if value is not None}
    return read_order(json.encode(fields), "alice", {"BTCUSDT": BTCUSDT})


def refusal(**changed: Any) -> tuple[ErrorCode, str]:
    """Code and reason of an order that is refused."""
    with pytest.raises(ProtocolError) as caught:
        read(**changed)
    return caught.value.code, caught.value.reason


def test_lots_and_ticks_may_be_integers_or_digits() -> None:
    expected = PlaceOrder(
        account="alice",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        lots=1000,
        limit_ticks=6684363,
    )
    assert read() == expected
    assert read(lots="1000", ticks="6684363") == expected


def test_counts_go_up_to_64_bits() -> None:
    most = 2**63 - 1
    assert (
        read(lots=most) == read(lots=str(most)) == read(lots=None, quantity="9223372036854.775807")
    )


def test_quantity_and_price_are_decimals() -> None:
    assert read(lots=None, ticks=None, quantity="0.001", price="66843.63") == read()
    assert read(lots=None, quantity="0.0010") == read()
    assert read(ticks=None, price="066843.630") == read()


def test_market_is_another_word_for_symbol() -> None:
    assert read(symbol=None, market="BTCUSDT") == read()
    assert read(market="nonsense") == read()


def test_side_is_taken_as_it_stands() -> None:
    assert read(side="SELL").side is Side.SELL


@pytest.mark.parametrize("type", OrderType)
def test_types_by_name(type: OrderType) -> None:
    assert read(type=type.value).type is type


@pytest.mark.parametrize(
    ("number", "type"),
    [(0, OrderType.LIMIT), (1, OrderType.MARKET), (4, OrderType.FOK), (5, OrderType.IOC)],
)
def test_types_by_number(number: int, type: OrderType) -> None:
    assert read(type=number).type is type


def test_a_market_order_needs_no_price() -> None:
    order = read(type="MARKET", ticks=None)
    assert (order.type, order.limit_ticks) == (OrderType.MARKET, 0)
    assert read(type="MARKET", ticks=None, price="0").limit_ticks == 0


def test_the_clients_own_name_is_kept() -> None:
    assert read().client_order_id is None
    assert read(clientOrderId="mine").client_order_id == "mine"


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"symbol": None}, "BAD_REQUEST", "symbol"),
        ({"symbol": "BTCUSD"}, "UNKNOWN_SYMBOL", "BTCUSD"),
        ({"symbol": None, "market": "X"}, "UNKNOWN_SYMBOL", "no instrument X"),
        ({"side": None}, "BAD_REQUEST", "`side`"),
        ({"side": "buy"}, "BAD_ORDER", "'buy'; there are BUY and SELL"),
        ({"side": 1}, "BAD_REQUEST", "$.side"),
        ({"type": None}, "BAD_REQUEST", "`type`"),
        ({"type": "STOP"}, "BAD_ORDER", "'STOP'; there are LIMIT, MARKET, IOC, FOK, POST_ONLY"),
        ({"type": 2}, "BAD_ORDER", "no type 2;"),
        ({"type": "0"}, "BAD_ORDER", "no type '0'"),
        ({"type": "name"}, "BAD_ORDER", "'name'"),
        ({"lots": None}, "BAD_ORDER", "lots or a quantity"),
        ({"lots": -1}, "BAD_ORDER", "lots -1"),
        ({"lots": "-1"}, "BAD_ORDER", "'-1'"),
        ({"lots": "1.5"}, "BAD_ORDER", "'1.5'"),
        ({"lots": ""}, "BAD_ORDER", "''"),
        ({"lots": "٣"}, "BAD_ORDER", "'٣'"),
        ({"lots": 2**63}, "BAD_ORDER", str(2**63)),
        ({"lots": "9" * 20}, "BAD_ORDER", "9" * 20),
        ({"lots": 1.5}, "BAD_REQUEST", "$.lots"),
        ({"ticks": None}, "BAD_ORDER", "a LIMIT order needs ticks or a price"),
        ({"ticks": None, "type": "POST_ONLY"}, "BAD_ORDER", "a POST_ONLY order"),
        ({"ticks": "x"}, "BAD_ORDER", "ticks 'x'"),
        ({"quantity": "0.001"}, "BAD_ORDER", "both lots 1000 and quantity 0.001"),
        ({"price": "1"}, "BAD_ORDER", "both ticks 6684363 and price 1"),
        ({"lots": None, "quantity": "1e3"}, "BAD_ORDER", "'1e3'"),
        ({"lots": None, "quantity": "-1"}, "BAD_ORDER", "'-1'"),
        ({"lots": None, "quantity": 0.5}, "BAD_REQUEST", "$.quantity"),
        ({"lots": None, "quantity": "9" * 20}, "BAD_ORDER", "9" * 20),
        ({"ticks": None, "price": "+1"}, "BAD_ORDER", "'+1'"),
        ({"ticks": None, "price": " 1"}, "BAD_ORDER", "' 1'"),
        ({"ticks": None, "price": ".5"}, "BAD_ORDER", "'.5'"),
        ({"clientOrderId": 7}, "BAD_REQUEST", "$.clientOrderId"),
    ],
)
def test_a_wrong_value_is_named(changed: dict[str, Any], code: str, named: str) -> None:
    found, reason = refusal(**changed)
    assert (found, named in reason) == (code, True), reason


def test_a_value_between_two_steps_names_the_nearest() -> None:
    assert refusal(ticks=None, price="66843.635") == (
        ErrorCode.BAD_ORDER,
        "price: 66843.635 lies between 66843.63 and 66843.64",
    )
    assert refusal(lots=None, quantity="0.0000015") == (
        ErrorCode.BAD_ORDER,
        "quantity: 0.0000015 lies between 0.000001 and 0.000002",
    )


def test_an_answer_is_the_documented_order_and_its_name() -> None:
    order = Order(7, "alice", "BTCUSDT", Side.BUY, OrderType.LIMIT, 1000, 100, "mine", 5_000_000)
    assert encode(placed_order(order.view(), BTCUSDT)) == (
        b'{"id":7,"type":"LIMIT","state":"NEW","side":"BUY","resd":1000,"exec":0,"cost":0,'
        b'"lastLots":null,"lastTicks":null,"created":5,"modified":5,"symbol":"BTCUSDT",'
        b'"price":"1","quantity":"0.001","clientOrderId":"mine"}'
    )


def test_a_refusal_keeps_its_code_and_reason() -> None:
    error = as_error(Refused(ErrorCode.WOULD_TAKE, "because"))
    assert (error.code, error.reason) == (ErrorCode.WOULD_TAKE, "because")
