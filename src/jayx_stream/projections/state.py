"""The state of all views as one value. Rule: all that a later fold or answer depends on, nothing that
follows from the rest: books and reserves come from the open orders.

A changed form needs a new number in `journal/checkpoints.py`, and is folded from the journal then.
"""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderView, Side
from jayx_stream.projections.keys import KeyView

CandleState = tuple[int, int, int, int, int, int, int]
"""Start in seconds, open, high, low and close in ticks, lots, time of the last trade in seconds."""


class KlinesState(Struct, frozen=True, array_like=True):
    """One symbol's."""

    symbol: str
    minute: CandleState
    whole_minutes: tuple[tuple[int, CandleState], ...]
    """By interval in seconds, as far as whole minutes are over."""
    closed: tuple[tuple[int, tuple[CandleState, ...]], ...]
    """By interval, oldest first."""


MinuteState = tuple[int, int, int, int, int, int, int]
"""Start in seconds, id of the first trade, open, high and low in ticks, lots, cost in tick·lots."""


class TickerState(Struct, frozen=True, array_like=True):
    """One symbol's."""

    symbol: str
    last_ticks: int | None
    last_id: int
    """Of the last trade; 0 before the first."""
    minutes: tuple[MinuteState, ...]
    """Oldest first: those of the last 24 hours that were traded in, then the current one."""


class TradesState(Struct, frozen=True, array_like=True):
    """One symbol's."""

    symbol: str
    last_id: int
    trades: tuple[tuple[int, int, Side, int], ...]
    """Newest first: lots, ticks, the taker's side, milliseconds."""


class ProjectionsState(Struct, frozen=True, array_like=True):
    """As they stand after commit `seq`. What has no order of its own is sorted."""

    seq: int
    time_ns: int
    minute_s: int
    instruments: tuple[Instrument, ...]
    """In the order in which they were first listed."""
    halted: tuple[str, ...]
    """Symbols."""
    trades: tuple[TradesState, ...]
    klines: tuple[KlinesState, ...]
    """In the order of the first trades."""
    tickers: tuple[TickerState, ...]
    """In the order of the instruments."""
    holdings: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """By account, then by asset, in units."""
    open_orders: tuple[OrderView, ...]
    """By id."""
    closed_orders: tuple[tuple[str, tuple[OrderView, ...]], ...]
    """By account, in the order in which they were closed."""
    keys: tuple[KeyView, ...]
    """All that ever were, in the order in which they were added."""


_encoder = Encoder()
_decoder = Decoder(ProjectionsState)


def encode_projections(state: ProjectionsState) -> bytes:
    """MessagePack."""
    return _encoder.encode(state)


def decode_projections(data: bytes) -> ProjectionsState:
    """The state again. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(data)
