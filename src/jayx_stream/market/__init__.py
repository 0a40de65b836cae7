"""What can drive a venue: recorded markets, and simulated traders. `Driver` is the contract.

A driver has no way of its own into the exchange: it asks by `Submit`, as every trader does.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command

Submit = Callable[[Command], Awaitable[Answer]]
"""Has a command decided. The command has its place in the order, and its time, when the call
returns; awaiting gives the answer once it is durable. A command beyond what may wait is refused
with UNAVAILABLE.
"""


class MarketError(Exception):
    """The venue can't be driven; the message says by what, and why."""


class Driver(Protocol):
    """A source of orders."""

    async def prepare(self) -> None:
        """Open the driver's accounts, deposit once, and cancel what an earlier run left open.

        May be called again on the same venue. Raises MarketError if any of it is refused.
        """
        ...

    async def run(self) -> None:
        """Trade until there is nothing left to do, or cancelled."""
        ...
