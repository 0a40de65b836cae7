"""The road of commands to the exchange. `Desk` is the contract; `local` is its make within one process."""

import asyncio
from typing import Protocol

from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import Command


class Desk(Protocol):
    """Takes commands, gives answers."""

    def submit(self, command: Command) -> asyncio.Future[Answer]:
        """Have a command decided. The answer comes once what it did is durable, never before.

        It is `Refused` with UNAVAILABLE, at once, if the exchange is stopping, has stopped, or has
        too much waiting; then nothing was done. The command has its place in the order, and its
        time, when this returns: it needn't be awaited before the next one is submitted.
        """
        ...
