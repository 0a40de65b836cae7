"""Orders as clients write them (protocol §9)."""

from typing import Any

import pytest
from msgspec import json

from jayx_stream.model.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from jayx_stream.model.order import Order, OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import (
    as_error,
    placed_order,
    read_amend,
    read_cancel,
    read_cancel_all,
    read_order,
)
from tests.wire.client import INSTRUMENTS, SmallPresent

BTCUSDT = INSTRUMENTS["BTCUSDT"]
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1000, "ticks": 6684363}


def read(**changed: Any) -> PlaceOrder:
    """The command of a good order with some fields changed; None leaves one out."""
    fields = {name: value for name, value in {**LIMIT, **changed}.items() if value is not None}
    return read_order(json.encode(fields), "alice", SmallPresent())


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


# Amend and cancel.


def amend(*orders: Order, **fields: Any) -> AmendOrder:
    """The command of an amendment, where these orders can be seen."""
    return read_amend(json.encode(fields), "alice", SmallPresent(*orders))


def amend_refusal(*orders: Order, **fields: Any) -> tuple[ErrorCode, str]:
    """Code and reason of an amendment that is refused."""
    with pytest.raises(ProtocolError) as caught:
        amend(*orders, **fields)
    return caught.value.code, caught.value.reason


def resting(account: str = "alice") -> Order:
    """An order whose lots are larger than BTCUSDT's."""
    return Order(7, account, "ETHUSDT", Side.BUY, OrderType.LIMIT, 1000, 100, "mine", 5_000_000)


def test_an_amendment_names_an_order_and_its_lots() -> None:
    assert amend(id=7, lots=5) == AmendOrder(account="alice", order_id=7, lots=5)
    assert amend(id="7", lots="5") == AmendOrder(account="alice", order_id=7, lots=5)
    named = AmendOrder(account="alice", client_order_id="mine", lots=0)
    assert amend(clientOrderId="mine", lots=0) == named


def test_an_amended_quantity_is_counted_in_the_orders_own_lots() -> None:
    assert amend(resting(), id=7, quantity="0.00012").lots == 12
    assert amend(resting(), clientOrderId="mine", quantity="0.0001").lots == 10
    assert amend(resting(), id=7, quantity="0.0001", symbol="BTCUSDT").lots == 10


def test_an_amended_quantity_between_two_lots_names_the_nearest() -> None:
    assert amend_refusal(resting(), id=7, quantity="0.000015") == (
        ErrorCode.BAD_ORDER,
        "quantity: 0.000015 lies between 0.00001 and 0.00002",
    )


def test_a_quantity_needs_an_order_that_can_be_seen() -> None:
    for orders in ((), (resting("bob"),)):
        assert amend_refusal(*orders, id=7, quantity="0.1") == (
            ErrorCode.UNKNOWN_ORDER,
            "no order 7 whose lots quantity 0.1 could be counted in",
        )


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"lots": 5}, "BAD_REQUEST", "give either id or clientOrderId"),
        ({"id": 7, "clientOrderId": "mine", "lots": 5}, "BAD_REQUEST", "give either"),
        ({"id": 0, "lots": 5}, "BAD_REQUEST", "id 0 is not a whole number from 1"),
        ({"id": -7, "lots": 5}, "BAD_REQUEST", "id -7"),
        ({"id": 2**63, "lots": 5}, "BAD_REQUEST", f"id {2**63}"),
        ({"id": "x", "lots": 5}, "BAD_REQUEST", "id 'x'"),
        ({"id": 7.5, "lots": 5}, "BAD_REQUEST", "`$.id`: 7.5"),
        ({"id": True, "lots": 5}, "BAD_REQUEST", "`$.id`: true"),
        ({"clientOrderId": 7, "lots": 5}, "BAD_REQUEST", "`$.clientOrderId`: 7"),
        ({"id": 7}, "BAD_ORDER", "lots or to a quantity"),
        ({"id": 7, "lots": -1}, "BAD_ORDER", "lots -1"),
        ({"id": 7, "lots": 2**63}, "BAD_ORDER", f"lots {2**63}"),
        ({"id": 7, "lots": 1.5}, "BAD_REQUEST", "`$.lots`: 1.5"),
        ({"id": 7, "lots": "five"}, "BAD_ORDER", "lots 'five'"),
        ({"id": 7, "lots": 5, "quantity": "1"}, "BAD_ORDER", "both lots 5 and quantity 1"),
        ({"id": 7, "quantity": "1e3"}, "BAD_ORDER", "'1e3'"),
        ({"id": 7, "quantity": "9" * 20}, "BAD_ORDER", "too large"),
    ],
)
def test_a_wrong_value_of_an_amendment_is_named(
    fields: dict[str, Any], code: str, named: str
) -> None:
    found, reason = amend_refusal(resting(), **fields)
    assert (found, named in reason) == (code, True), reason


def test_a_cancel_names_an_order() -> None:
    present = SmallPresent()
    assert read_cancel(b'{"id":"7"}', "alice", present) == CancelOrder(account="alice", order_id=7)
    named = CancelOrder(account="alice", client_order_id="mine")
    assert read_cancel(b'{"clientOrderId":"mine"}', "alice", present) == named
    for bad in (b"{}", b'{"id":1,"clientOrderId":"mine"}', b'{"id":[1]}', b'{"id":""}'):
        with pytest.raises(ProtocolError) as caught:
            read_cancel(bad, "alice", present)
        assert caught.value.code == ErrorCode.BAD_REQUEST


def test_cancel_all_may_name_a_symbol() -> None:
    present = SmallPresent()
    assert read_cancel_all(b"{}", "alice", present) == CancelAll(account="alice")
    one = CancelAll(account="alice", symbol="ETHUSDT")
    for body in (b'{"symbol":"ETHUSDT"}', b'{"market":"ETHUSDT"}'):
        assert read_cancel_all(body, "alice", present) == one
    for bad, code in ((b'{"symbol":"X"}', "UNKNOWN_SYMBOL"), (b'{"market":5}', "BAD_REQUEST")):
        with pytest.raises(ProtocolError) as caught:
            read_cancel_all(bad, "alice", present)
        assert caught.value.code == code


# What JSON allows and an order does not.


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b'"lots":NaN', "BAD_JSON", "malformed"),
        (b'"lots":1e3', "BAD_REQUEST", "`$.lots`: 1e3"),
        (b'"lots":1.0', "BAD_REQUEST", "`$.lots`: 1.0"),
        (b'"lots":true', "BAD_REQUEST", "`$.lots`: true"),
        (b'"lots":[1]', "BAD_REQUEST", "`$.lots`: [1]"),
        (b'"lots":9223372036854775808', "BAD_ORDER", "lots 9223372036854775808"),
        (b'"lots":' + b"9" * 40, "BAD_ORDER", "9" * 40),
        (b'"lots":"' + b"9" * 40 + b'"', "BAD_ORDER", "9" * 40),
        (b'"lots":1,"price":1.5', "BAD_REQUEST", "`$.price`: 1.5"),
        (b'"lots":1,"price":' + b"[0]" + b" " * 5 + b"", "BAD_REQUEST", "`$.price`: [0]"),
        (b'"lots":1,"price":{"a":"' + b"x" * 99 + b'"}', "BAD_REQUEST", "x" * 54 + "…"),
        (b'"lots":1,"ticks":1e400', "BAD_REQUEST", "ticks"),
    ],
)
def test_a_number_that_is_no_count_is_named(body: bytes, code: str, named: str) -> None:
    order = b'{"symbol":"BTCUSDT","side":"BUY","type":"MARKET",' + body + b"}"
    with pytest.raises(ProtocolError) as caught:
        read_order(order, "alice", SmallPresent())
    assert (caught.value.code, named in caught.value.reason) == (code, True), caught.value.reason


def test_of_a_field_that_stands_there_twice_the_last_counts() -> None:
    order = b'{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","lots":1,"lots":2}'
    assert read_order(order, "alice", SmallPresent()).lots == 2
