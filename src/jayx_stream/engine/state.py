"""The state of an exchange as one value. Rule: all that its next commit or answer depends on, nothing
that follows from the rest: books, reserves and what is open per account come from the orders.

A changed form needs a new number in `journal/checkpoints.py`, and is folded from the journal then.
"""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderView


class ExchangeState(Struct, frozen=True, array_like=True):
    """As it stands after commit `seq`. What has no order of its own is sorted, so that equal
    exchanges have equal bytes.
    """

    seq: int
    time_ns: int
    minute_ns: int
    last_order_id: int
    instruments: tuple[Instrument, ...]
    """In the order in which they were first listed."""
    last_trade_ids: tuple[tuple[str, int], ...]
    """By symbol."""
    balances: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """By account, then by asset, in units; the fees' and the outside's too."""
    orders: tuple[OrderView, ...]
    """Open or named ones by id, so that each price has its own in order of time."""
    lots_as_placed: tuple[tuple[int, int], ...]
    """By id, of those of them that have a name and were amended since."""
    deposit_references: tuple[tuple[str, str], ...]
    """Account and reference."""
    withdrawals: tuple[tuple[str, str, str, int], ...]
    """Account and reference, then asset and units."""
    halted: tuple[str, ...]
    """Symbols."""
    key_ids: tuple[tuple[str, bool], ...]
    """Of every key that ever was, and whether it stands."""
    signatures: tuple[tuple[bytes, int], ...]
    """Those used lately, and when they expire, in the order of their use."""


_encoder = Encoder()
_decoder = Decoder(ExchangeState)


def encode_exchange(state: ExchangeState) -> bytes:
    """MessagePack."""
    return _encoder.encode(state)


def decode_exchange(data: bytes) -> ExchangeState:
    """The state again. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(data)
