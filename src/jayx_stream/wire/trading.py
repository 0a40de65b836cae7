"""Orders as clients write them, and answers as they read them (protocol §9).

The same for every door: what comes in becomes a command, what the exchange says becomes a text.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, OrderView, Side
from jayx_stream.model.past import Fill
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT, COUNT_MAX, NS_PER_MS, NotADecimal, NotAStep, Step
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import OrderPayload, order_payload
from jayx_stream.wire.subscribing import check_symbol, decode

_NUMBERED_TYPES = {
    0: OrderType.LIMIT,
    1: OrderType.MARKET,
    4: OrderType.FOK,
    5: OrderType.IOC,
}


class OrderRequest(Struct, rename="camel"):
    """An order as it is written: size as `lots` or `quantity`, price as `ticks` or `price`."""

    side: str
    type: str | int
    symbol: str | None = None
    market: str | None = None
    """Another word for `symbol`."""
    lots: int | str | None = None
    ticks: int | str | None = None
    quantity: str | None = None
    price: str | None = None
    client_order_id: str | None = None


class PlacedOrder(OrderPayload):
    """O of protocol §7, with the client's own name for it."""

    clientOrderId: str | None


class FillPayload(Struct, rename="camel"):
    """A trade, seen from one's own order."""

    fill: int
    """Numbers all trades of the venue; for paging."""
    id: int
    """The trade's, consecutive within the symbol."""
    order: int
    symbol: str
    side: Side
    lots: int
    ticks: int
    fee: str
    fee_asset: str
    maker: bool
    created: int
    seq: int


class RestAnswer(Struct):
    """What a request is answered with when it was done."""

    code: str
    data: Any
    seq: int


class RestRefusal(Struct):
    """What a request is answered with when it was not."""

    code: ErrorCode
    message: str
    data: None = None


def read_order(body: bytes, account: str, instruments: Mapping[str, Instrument]) -> PlaceOrder:
    """Read an order. Raises ProtocolError that names the value at fault."""
    request = decode(Raw(body), OrderRequest)
    symbol = request.symbol if request.symbol is not None else request.market
    if symbol is None:
        raise ProtocolError(ErrorCode.BAD_REQUEST, "the order needs a symbol")
    check_symbol(symbol, instruments)
    instrument = instruments[symbol]
    type = _type(request.type)
    lots = _count("lots", request.lots, "quantity", request.quantity, instrument.lot_size)
    ticks = _count("ticks", request.ticks, "price", request.price, instrument.tick_size)
    if lots is None:
        raise _bad("the order needs lots or a quantity")
    if ticks is None and type is not OrderType.MARKET:
        raise _bad(f"a {type} order needs ticks or a price")
    return PlaceOrder(
        account=account,
        symbol=symbol,
        side=_side(request.side),
        type=type,
        lots=lots,
        limit_ticks=ticks or 0,
        client_order_id=request.client_order_id,
    )


def placed_order(order: OrderView, instrument: Instrument) -> PlacedOrder:
    """An order as an answer tells it."""
    payload = order_payload(order, instrument)
    fields = {name: getattr(payload, name) for name in payload.__struct_fields__}
    return PlacedOrder(**fields, clientOrderId=order.client_order_id)


def fill_payload(fill: Fill, instrument: Instrument) -> FillPayload:
    """A fill as an answer tells it. The fee is in what was received."""
    return FillPayload(
        fill=fill.number,
        id=fill.trade_id,
        order=fill.order_id,
        symbol=fill.symbol,
        side=fill.side,
        lots=fill.lots,
        ticks=fill.ticks,
        fee=ASSET_UNIT.text(fill.fee_units),
        fee_asset=instrument.base if fill.side is Side.BUY else instrument.quote,
        maker=fill.is_maker,
        created=fill.time_ns // NS_PER_MS,
        seq=fill.seq,
    )


def as_error(refused: Refused) -> ProtocolError:
    """A refusal of the exchange as one of the protocol."""
    return ProtocolError(refused.code, refused.reason)


def _side(text: str) -> Side:
    try:
        return Side(text)
    except ValueError:
        raise _bad(f"no side {text!r}; there are BUY and SELL") from None


def _type(name: str | int) -> OrderType:
    if isinstance(name, int):
        type = _NUMBERED_TYPES.get(name)
    else:
        type = OrderType(name) if name in OrderType.__members__ else None
    if type is None:
        numbers = ", ".join(f"{number} {type}" for number, type in _NUMBERED_TYPES.items())
        raise _bad(f"no type {name!r}; there are {', '.join(OrderType)}, or {numbers}")
    return type


def _count(
    counted: str, count: int | str | None, written: str, decimal: str | None, step: Step
) -> int | None:
    """The count that stands there as such, or as a decimal; None if neither does."""
    if decimal is None:
        if isinstance(count, str):
            if not (count.isascii() and count.isdigit() and len(count) <= 19):
                raise _bad(f"{counted} {count!r} is not a whole number")
            count = int(count)
        if count is not None and not 0 <= count <= COUNT_MAX:
            raise _bad(f"{counted} {count} is not within 0 and {COUNT_MAX}")
        return count
    if count is not None:
        raise _bad(f"the order has both {counted} {count} and {written} {decimal}; give one")
    try:
        count = step.count(decimal)
    except (NotADecimal, NotAStep) as error:
        raise _bad(f"{written}: {error}") from None
    if count > COUNT_MAX:
        raise _bad(f"{written} {decimal} is too large")
    return count


def _bad(reason: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_ORDER, reason)
