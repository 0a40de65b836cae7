"""Decides: the write side of the exchange, pure. `Exchange` is its two verbs, decide and apply."""

from hashlib import sha256

from jayx_stream.engine import exchange
from jayx_stream.engine.exchange import Exchange
from jayx_stream.engine.state import ExchangeState, decode_exchange, encode_exchange

__all__ = [
    "Exchange",
    "ExchangeState",
    "decode_exchange",
    "encode_exchange",
    "is_compiled",
    "state_hash",
]


def is_compiled() -> bool:
    """Whether the pure rooms run as machine code (`compile_rooms.py`), or as the Python that they are."""
    return not exchange.__file__.endswith(".py")


def state_hash(exchange: Exchange) -> str:
    """SHA-256 of the exchange's state, in hex: equal for equal exchanges, wherever they run."""
    return sha256(encode_exchange(exchange.state())).hexdigest()
