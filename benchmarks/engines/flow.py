"""The crowd's commands as plain numbers, which any engine reads; see `driving`."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.crowd import ACCOUNTS, crowd
from benchmarks.engines.driving import BUY, CANCEL, SELL, Operation
from jayx_stream.model.commands import CancelOrder, Command, PlaceOrder
from jayx_stream.model.order import Side

_NUMBERS = {account: number for number, account in enumerate(ACCOUNTS)}


def operations(commands: Sequence[Command], orders_before: int = 0) -> list[Operation]:
    """Of orders and cancels; whatever else a crowd commands is nothing to an engine alone."""
    orders = orders_before
    found: list[Operation] = []
    for command in commands:
        if isinstance(command, PlaceOrder):
            orders += 1
            kind = BUY if command.side is Side.BUY else SELL
            account = _NUMBERS[command.account]
            found.append((kind, orders, command.lots, command.limit_ticks, account))
        elif isinstance(command, CancelOrder):
            assert command.order_id is not None
            found.append((CANCEL, command.order_id, 0, 0, 0))
    return found


def write_flow(path: Path, count: int) -> None:
    """A market of resting orders, and `count` operations after it."""
    before, commands = crowd(count)
    resting = operations(before)
    lines = [
        " ".join(map(str, operation))
        for operation in (*resting, *operations(commands, len(resting)))
    ]
    path.write_text("\n".join([str(len(resting)), *lines]))
