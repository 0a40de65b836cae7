"""Answers: what the exchange says to a command, once what it did is durable."""

from msgspec import Struct

from jayx_stream.model.order import OrderView
from jayx_stream.model.reasons import Refused


class Done(Struct, frozen=True):
    """The command is done, or was done before."""

    seq: int
    """The commit that the answer reflects."""
    orders: tuple[OrderView, ...] = ()
    """The order placed or amended, or those canceled."""


Answer = Done | Refused
