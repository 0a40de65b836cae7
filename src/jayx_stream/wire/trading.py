"""Orders as clients write them, and answers as they read them (protocol §9).

The same for every door: what comes in becomes a command, what the exchange says becomes a text.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol

from msgspec import Meta, Struct

from jayx_stream.model.answers import Done
from jayx_stream.model.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Permission
from jayx_stream.model.order import OrderType, OrderView, Side
from jayx_stream.model.past import Fill
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT, COUNT_MAX, NS_PER_MS, NotADecimal, NotAStep, Step
from jayx_stream.wire.access import RECV_WINDOW_MS
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import OrderPayload, order_fields
from jayx_stream.wire.subscribing import check_symbol, decode

TradingCommand = PlaceOrder | AmendOrder | CancelOrder | CancelAll
"""What the holder of a key may ask of the exchange."""

NUMBERED_TYPES = {
    0: OrderType.LIMIT,
    1: OrderType.MARKET,
    4: OrderType.FOK,
    5: OrderType.IOC,
}


# Asked for with every order, and quicker found here than in their enumerations.
_SIDES: dict[str, Side] = {side.value: side for side in Side}
_TYPES: dict[str, OrderType] = {type.value: type for type in OrderType}


class OrderRequest(Struct, rename="camel"):
    """An order as it is written: size as `lots` or `quantity`, price as `ticks` or `price`."""

    side: Annotated[str, Meta(extra_json_schema={"enum": list(Side)})]
    type: Annotated[str | int, Meta(extra_json_schema={"enum": [*OrderType, *NUMBERED_TYPES]})]
    """By name or by number: 0 LIMIT, 1 MARKET, 4 FOK, 5 IOC."""
    symbol: str | None = None
    """The instrument; it has to be there, by one of its two words."""
    market: str | None = None
    """Another word for `symbol`."""
    lots: int | str | None = None
    """The size, a whole number or its digits; this or `quantity` is there."""
    ticks: int | str | None = None
    """The limit, likewise; this or `price` is there, but for a MARKET order."""
    quantity: str | None = None
    """The size as a decimal."""
    price: str | None = None
    """The limit as a decimal."""
    client_order_id: str | None = None
    """1 to 36 characters: the account's own name for the order, for ever. The same order again under
    it gives back what became of the first, and places nothing."""


class AmendRequest(Struct, rename="camel"):
    """An order's new size, executed lots included, as `lots` or `quantity`."""

    id: int | str | None = None
    """The order, by its number; this or `clientOrderId` is there."""
    client_order_id: str | None = None
    lots: int | str | None = None
    """A whole number or its digits; this or `quantity` is there."""
    quantity: str | None = None
    """A decimal."""


class CancelRequest(Struct, rename="camel"):
    """The order to cancel, by one of the two."""

    id: int | str | None = None
    client_order_id: str | None = None


class CancelAllRequest(Struct):
    """All open orders, or those of one symbol."""

    symbol: str | None = None
    market: str | None = None
    """Another word for `symbol`."""


class LoginRequest(Struct, rename="camel"):
    """The message of `login`, signed over timestamp + `GET/stream/login`."""

    api_key: str
    timestamp: int | str
    """When it was signed, milliseconds since the epoch."""
    sign: str
    cancel_on_disconnect: bool = False
    """Whether the account's open orders are canceled when the connection ends, however it ends."""
    recv_window: int = RECV_WINDOW_MS
    """How far the timestamp may be off the server's clock, in milliseconds."""


class LoggedIn(Struct, rename="camel"):
    """What a login is answered with."""

    account: str
    permissions: tuple[Permission, ...]
    cancel_on_disconnect: bool


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

    code: Literal["OK"]
    data: Any
    seq: int


class StreamAnswer(RestAnswer, omit_defaults=True):
    """The same on a stream, with what was passed over."""

    ignored: tuple[str, ...] = ()
    """Fields of the message that mean nothing."""


class RestRefusal(Struct):
    """What a request is answered with when it was not."""

    code: ErrorCode
    message: str
    data: None = None


class Orders(Protocol):
    """The orders that can be seen."""

    def find(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """An open or recently closed order of the account, by either id."""
        ...


class Present(Protocol):
    """What is so now, as far as requests are read by it. `projections.Projections` has this form."""

    @property
    def seq(self) -> int:
        """Number of the last commit that is in it."""
        ...

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Those that are listed."""
        ...

    @property
    def orders(self) -> Orders:
        """Everyone's orders."""
        ...


def read_order(message: bytes, account: str, present: Present) -> PlaceOrder:
    """Read an order. Raises ProtocolError that names the value at fault."""
    request = decode(message, OrderRequest)
    symbol = request.symbol if request.symbol is not None else request.market
    if symbol is None:
        raise ProtocolError(ErrorCode.BAD_REQUEST, "the order needs a symbol")
    instruments = present.instruments
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


def read_amend(message: bytes, account: str, present: Present) -> AmendOrder:
    """Read an order's new size. Raises ProtocolError that names the value at fault.

    A quantity is counted in the lots of the order's own instrument, so the order must have been
    answered before; lots may follow an order on its heels.
    """
    request = decode(message, AmendRequest)
    order_id, client_order_id = read_ids(request.id, request.client_order_id)
    step = None
    if request.quantity is not None:
        order = present.orders.find(account, order_id, client_order_id)
        if order is None:
            wanted = client_order_id if order_id is None else order_id
            reason = f"no order {wanted} whose lots quantity {request.quantity} could be counted in"
            raise ProtocolError(ErrorCode.UNKNOWN_ORDER, reason)
        step = present.instruments[order.symbol].lot_size
    lots = _count("lots", request.lots, "quantity", request.quantity, step)
    if lots is None:
        raise _bad("an order is amended to lots or to a quantity")
    return AmendOrder(
        account=account, order_id=order_id, client_order_id=client_order_id, lots=lots
    )


def read_cancel(message: bytes, account: str, present: Present) -> CancelOrder:
    """Read which order is to be canceled. Raises ProtocolError that names the value at fault."""
    return cancel_command(decode(message, CancelRequest), account)


def cancel_command(request: CancelRequest, account: str) -> CancelOrder:
    """The command of a request. Raises ProtocolError that names the value at fault."""
    order_id, client_order_id = read_ids(request.id, request.client_order_id)
    return CancelOrder(account=account, order_id=order_id, client_order_id=client_order_id)


def read_cancel_all(message: bytes, account: str, present: Present) -> CancelAll:
    """Read which orders are to be canceled. Raises ProtocolError that names the value at fault."""
    return cancel_all_command(decode(message, CancelAllRequest), account, present)


def cancel_all_command(request: CancelAllRequest, account: str, present: Present) -> CancelAll:
    """The command of a request. Raises ProtocolError UNKNOWN_SYMBOL."""
    symbol = request.symbol if request.symbol is not None else request.market
    if symbol is not None:
        check_symbol(symbol, present.instruments)
    return CancelAll(account=account, symbol=symbol)


def read_ids(id: int | str | None, client_order_id: str | None) -> tuple[int | None, str | None]:
    """Which order is meant, by exactly one of the two. Raises ProtocolError BAD_REQUEST."""
    if (id is None) == (client_order_id is None):
        raise ProtocolError(ErrorCode.BAD_REQUEST, "give either id or clientOrderId")
    if id is None:
        return None, client_order_id
    order_id = _digits(id) if isinstance(id, str) else id
    if order_id is None or not 1 <= order_id <= COUNT_MAX:
        reason = f"id {id!r} is not a whole number from 1 to {COUNT_MAX}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    return order_id, None


TRADING_EVENTS: dict[str, tuple[Callable[[bytes, str, Present], TradingCommand], type[Struct]]] = {
    "order": (read_order, OrderRequest),
    "amend": (read_amend, AmendRequest),
    "cancel": (read_cancel, CancelRequest),
    "cancelAll": (read_cancel_all, CancelAllRequest),
}
"""How the messages of a logged-in connection are read, and their forms."""


def done(
    command: TradingCommand, answer: Done, instruments: Mapping[str, Instrument]
) -> RestAnswer:
    """What a command is answered with: its order, or of `CancelAll` a list of them."""
    if isinstance(command, CancelAll):
        orders = [placed_order(order, instruments[order.symbol]) for order in answer.orders]
        return RestAnswer("OK", orders, answer.seq)
    order = answer.orders[0]
    return RestAnswer("OK", placed_order(order, instruments[order.symbol]), answer.seq)


def placed_order(order: OrderView, instrument: Instrument) -> PlacedOrder:
    """An order as an answer tells it."""
    return PlacedOrder(*(*order_fields(order, instrument), order.client_order_id))


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
    side = _SIDES.get(text)
    if side is None:
        raise _bad(f"no side {text!r}; there are BUY and SELL")
    return side


def _type(name: str | int) -> OrderType:
    type = NUMBERED_TYPES.get(name) if isinstance(name, int) else _TYPES.get(name)
    if type is None:
        numbers = ", ".join(f"{number} {type}" for number, type in NUMBERED_TYPES.items())
        raise _bad(f"no type {name!r}; there are {', '.join(OrderType)}, or {numbers}")
    return type


def _count(
    counted: str, count: int | str | None, written: str, decimal: str | None, step: Step | None
) -> int | None:
    """The count that stands there as such, or as a decimal of `step`; None if neither does."""
    if decimal is None:
        if isinstance(count, str):
            number = _digits(count)
            if number is None:
                raise _bad(f"{counted} {count!r} is not a whole number")
            count = number
        if count is not None and not 0 <= count <= COUNT_MAX:
            raise _bad(f"{counted} {count} is not within 0 and {COUNT_MAX}")
        return count
    if count is not None:
        raise _bad(f"the order has both {counted} {count} and {written} {decimal}; give one")
    assert step is not None, f"{written} was read without its step"
    try:
        count = step.count(decimal)
    except (NotADecimal, NotAStep) as error:
        raise _bad(f"{written}: {error}") from None
    if count > COUNT_MAX:
        raise _bad(f"{written} {decimal} is too large")
    return count


def _digits(text: str) -> int | None:
    """The number that is written with ASCII digits alone, at most 19 of them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None


def _bad(reason: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_ORDER, reason)
