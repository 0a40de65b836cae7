"""The texts on the wire: the user's document field by field, and the envelope around it (protocol §3 to §7).

Field names and their order are the document's, byte for byte.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field
from msgspec.json import Encoder

from jayx_stream.model.instrument import CATEGORY, Instrument
from jayx_stream.model.order import OrderState, OrderType, OrderView, Side
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import ASSET_UNIT, NS_PER_MS
from jayx_stream.model.views import (
    Kline,
    KlineChange,
    Level,
    Orderbook,
    OrderChanges,
    Positions,
    PublicTrade,
    View,
)

_SERIES_SALT = 0xE9CA0670BAD6661D
"""Chosen so that the kline of the user's example gets the `_id` that stands there."""


class KlinePayload(Struct):
    """K of protocol §4."""

    id: str = field(name="_id")
    created: int
    o: int
    h: int
    l: int  # noqa: E741 (the document's name)
    c: int
    v: int
    m: int
    symbol: str


class KlinePush(Struct):
    """A push of `kline`."""

    add: KlinePayload | None
    modify: KlinePayload | None


class BookPayload(Struct):
    """Both halves of a book."""

    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


class OrderbookPush(Struct):
    """A push of `orderbook`."""

    order_book: BookPayload = field(name="orderBook")
    trades: tuple[PublicTrade, ...]


class PositionPayload(Struct):
    """One asset of protocol §6."""

    asset: str
    balance: str
    available: str


class PositionsPush(Struct):
    """A push of `positions`."""

    spot: list[PositionPayload]


class OrderPayload(Struct):
    """O of protocol §7."""

    id: int
    type: OrderType
    state: OrderState
    side: Side
    resd: int
    exec: int
    cost: int
    lastLots: int | None
    lastTicks: int | None
    created: int
    modified: int
    symbol: str
    price: str
    quantity: str


class OpenOrdersPush(Struct):
    """A push of `openorders`."""

    cancel: list[OrderPayload]
    modify: list[OrderPayload]


class Envelope(Struct, omit_defaults=True):
    """What stands around a payload (protocol §3)."""

    event: str
    message: Raw
    stream: str
    seq: int
    ts: int
    merged: int = 0
    trade: int | UnsetType = UNSET
    reset: bool = False
    prev: int | UnsetType = UNSET
    checksum: int | UnsetType = UNSET


class Ack(Struct):
    """The answer to a request that was done."""

    event: str
    id: int | str
    message: dict[str, Any] | Struct


class ErrorMessage(Struct, omit_defaults=True):
    """What was wrong."""

    code: ErrorCode
    reason: str
    request: Raw | UnsetType = UNSET


class ErrorAnswer(Struct, omit_defaults=True):
    """The answer to a request that was refused."""

    event: str
    id: int | str | UnsetType
    message: ErrorMessage


class Pong(Struct):
    """The answer to `ping`."""

    event: str
    id: int | str | UnsetType
    ts: int


class NoticeMessage(Struct):
    """What is going to happen, and in how many seconds."""

    code: str
    seconds: int


class Notice(Struct):
    """What the server tells everyone, unasked."""

    event: str
    message: NoticeMessage


Answer = Ack | ErrorAnswer | Pong | Notice
"""All that one client is told that is no push."""


_encoder = Encoder()
encode = _encoder.encode
"""Any of the above as JSON."""


@lru_cache(maxsize=4096)
def series_id(symbol: str, interval_s: int) -> str:
    """The last 16 hex digits of a kline's `_id`: they depend on category, symbol and interval alone."""
    digest = blake2b(f"{CATEGORY}:{symbol}:{interval_s}".encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest, 'big') ^ _SERIES_SALT:016x}"


def kline_payload(kline: Kline) -> KlinePayload:
    """A kline as the document has it."""
    return KlinePayload(
        id=f"{kline.created_s:08x}{series_id(kline.symbol, kline.interval_s)}",
        created=kline.created_s,
        o=kline.open_ticks,
        h=kline.high_ticks,
        l=kline.low_ticks,
        c=kline.close_ticks,
        v=kline.lots,
        m=kline.modified_s,
        symbol=kline.symbol,
    )


def order_payload(order: OrderView, instrument: Instrument) -> OrderPayload:
    """An order as the document has it."""
    return OrderPayload(*order_fields(order, instrument))


def order_fields(order: OrderView, instrument: Instrument) -> tuple[Any, ...]:
    """The fields of `OrderPayload`, in its order."""
    return (
        order.order_id,
        order.type,
        order.state,
        order.side,
        order.remaining_lots,
        order.executed_lots,
        order.cost,
        order.last_lots,
        order.last_ticks,
        order.created_ns // NS_PER_MS,
        order.modified_ns // NS_PER_MS,
        order.symbol,
        instrument.tick_size.text(order.limit_ticks),
        instrument.lot_size.text(order.lots),
    )


def positions_payload(positions: Positions) -> list[PositionPayload]:
    """Positions as the document has them."""
    return [
        PositionPayload(
            position.asset,
            ASSET_UNIT.text(position.balance_units),
            ASSET_UNIT.text(position.available_units),
        )
        for position in positions.spot
    ]


def encode_payload(view: View, instruments: Mapping[str, Instrument]) -> bytes:
    """A view as the document's payload. Decimals come in here, and nowhere before."""
    match view:
        case Orderbook():
            book = BookPayload(view.asks, view.bids)
            return encode(OrderbookPush(order_book=book, trades=view.trades))
        case KlineChange():
            add = None if view.add is None else kline_payload(view.add)
            modify = None if view.modify is None else kline_payload(view.modify)
            return encode(KlinePush(add, modify))
        case Positions():
            return encode(PositionsPush(positions_payload(view)))
        case OrderChanges():
            cancel, modify_ = (
                [order_payload(order, instruments[order.symbol]) for order in orders]
                for orders in (view.cancel, view.modify)
            )
            return encode(OpenOrdersPush(cancel, modify_))
