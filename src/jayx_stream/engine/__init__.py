"""Decides: the write side of the exchange, pure. `Exchange` is its two verbs, decide and apply."""

from jayx_stream.engine.exchange import Exchange

__all__ = ["Exchange"]
