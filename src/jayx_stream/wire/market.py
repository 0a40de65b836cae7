"""The market as REST tells it (protocol §9): terms and limits, trades, 24 hours' figures.

Rule: prices are ticks, sizes lots; decimals are the steps and rates that instruments are traded by.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, defstruct
from msgspec.structs import asdict, fields

from jayx_stream.model.instrument import CATEGORY, FEE_DECIMALS, Instrument
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.units import format_decimal
from jayx_stream.model.views import Ticker
from jayx_stream.wire.limits import Limits

MS_PER_S = 1000

if TYPE_CHECKING:
    LimitsPayload = Limits
else:
    LimitsPayload = defstruct(
        "LimitsPayload",
        [(limit.name, limit.type) for limit in fields(Limits)],
        bases=(Limits,),
        namespace={"__doc__": "What a client may do; 0: no limit. The unit is part of the name."},
        frozen=True,
        forbid_unknown_fields=False,
        rename="camel",
    )


class InstrumentStatus(StrEnum):
    """Whether orders are taken."""

    TRADING = "TRADING"
    HALTED = "HALTED"
    """None is taken; open ones rest, and can be canceled."""


class InstrumentPayload(Struct, rename="camel"):
    """An instrument's terms."""

    symbol: str
    category: str
    status: InstrumentStatus
    base: str
    quote: str
    tick_size: str
    """Decimal, in the quote asset: price = ticks × tickSize."""
    lot_size: str
    """Decimal, in the base asset: quantity = lots × lotSize."""
    min_lots: int
    """Of an order; a fill may be smaller."""
    max_lots: int
    maker_fee: str
    """Rate, of what is received."""
    taker_fee: str


class OrderTypePayload(Struct):
    """A type of order, by its name or its number."""

    name: OrderType
    number: int | None
    """None: it has a name only."""


class ExchangeInfo(Struct, rename="camel"):
    """What is traded, what a client may do, and the words that requests may use."""

    instruments: list[InstrumentPayload]
    limits: LimitsPayload
    intervals: tuple[int, ...]
    """Of klines, seconds."""
    depths: tuple[int, ...]
    """Levels of each half of a book."""
    precises: tuple[int, ...]
    """Widths of a level, ticks."""
    order_types: list[OrderTypePayload]


class Times(Struct, rename="camel"):
    """Both clocks, milliseconds since the epoch."""

    time: int
    """What signatures are checked by."""
    venue_time: int
    """What the market runs by: another one only while a recording is replayed."""


class ServerStatus(Struct):
    """How the server is."""

    status: str


class TradePayload(Struct):
    """A public trade."""

    id: int
    """Consecutive within the symbol, from 1."""
    lots: int
    ticks: int
    side: Side
    """The taker's."""
    created: int
    """Milliseconds since the epoch."""


class TickerPayload(Struct, rename="camel"):
    """What was traded within 24 hours and the current minute, and the best of the book now."""

    symbol: str
    last_ticks: int | None
    """Price of the last trade, however old; null before the first."""
    open_ticks: int | None
    """Price of the first trade within the 24 hours; null, as the next two, if there was none."""
    high_ticks: int | None
    low_ticks: int | None
    lots: int
    cost: int
    """Σ lots × ticks, in tick·lots: divided by `lots` it is the average price."""
    count: int
    """Trades."""
    first_trade_id: int | None
    """Of those within the 24 hours; null, as the next one, if there was none."""
    last_trade_id: int | None
    bid_ticks: int | None
    """null: nobody bids."""
    bid_lots: int | None
    ask_ticks: int | None
    """null: nobody asks."""
    ask_lots: int | None
    open_time: int
    """24 hours before the start of the current minute, milliseconds since the epoch."""
    close_time: int
    """End of the current minute."""


def limits_payload(limits: Limits) -> LimitsPayload:
    """The limits in force."""
    return LimitsPayload(**asdict(limits))


def instrument_payload(instrument: Instrument, *, is_halted: bool) -> InstrumentPayload:
    """An instrument as an answer tells it."""
    return InstrumentPayload(
        symbol=instrument.symbol,
        category=CATEGORY,
        status=InstrumentStatus.HALTED if is_halted else InstrumentStatus.TRADING,
        base=instrument.base,
        quote=instrument.quote,
        tick_size=instrument.tick_size.text(1),
        lot_size=instrument.lot_size.text(1),
        min_lots=instrument.min_lots,
        max_lots=instrument.max_lots,
        maker_fee=format_decimal(instrument.maker_fee_e8, FEE_DECIMALS),
        taker_fee=format_decimal(instrument.taker_fee_e8, FEE_DECIMALS),
    )


def ticker_payload(ticker: Ticker) -> TickerPayload:
    """A symbol's figures as an answer tells them."""
    bid, ask = ticker.bid, ticker.ask
    return TickerPayload(
        symbol=ticker.symbol,
        last_ticks=ticker.last_ticks,
        open_ticks=ticker.open_ticks,
        high_ticks=ticker.high_ticks,
        low_ticks=ticker.low_ticks,
        lots=ticker.lots,
        cost=ticker.cost,
        count=ticker.count,
        first_trade_id=ticker.first_trade_id,
        last_trade_id=ticker.last_trade_id,
        bid_ticks=None if bid is None else bid.ticks,
        bid_lots=None if bid is None else bid.lots,
        ask_ticks=None if ask is None else ask.ticks,
        ask_lots=None if ask is None else ask.lots,
        open_time=ticker.open_s * MS_PER_S,
        close_time=ticker.close_s * MS_PER_S,
    )
