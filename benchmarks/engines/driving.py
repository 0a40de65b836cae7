"""Drives an engine through a flow, in whichever environment it lives. Rule: nothing but the standard library.

A flow is a text file. Its first line says how many operations come before those that are timed; then one
operation a line, five numbers: kind, order's number, lots, ticks, account. Orders are numbered from 1 as they
are placed; a cancel names an order that is open, and has zeros behind its number.
"""

import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Protocol

CANCEL, BUY, SELL = 0, 1, 2
Operation = tuple[int, int, int, int, int]
GC_THRESHOLDS = (100_000, 50, 1000)
"""Ours, for all: no engine is to be measured by what the collector does to its driver."""


class Engine(Protocol):
    """What is driven."""

    fills: int | None
    """So far: pairs of a resting and an incoming order. None if the engine does not say."""
    lots: int | None
    """Of all fills."""

    def place(self, number: int, is_buy: bool, lots: int, ticks: int, account: int) -> None:
        """A limit order, good until canceled."""

    def cancel(self, number: int) -> None:
        """Of an order that is open."""

    def open_lots(self) -> int | None:
        """Of all resting orders; None if the engine does not say."""


def read(path: Path) -> tuple[list[Operation], list[Operation]]:
    """The operations before, and those that are timed."""
    first, *lines = path.read_text().splitlines()
    operations: list[Operation] = []
    for line in lines:
        kind, number, lots, ticks, account = map(int, line.split())
        operations.append((kind, number, lots, ticks, account))
    return operations[: int(first)], operations[int(first) :]


def drive(engine: Engine, operations: Sequence[Operation]) -> None:
    """All of them, one after the other."""
    place, cancel = engine.place, engine.cancel
    for kind, number, lots, ticks, account in operations:
        if kind:
            place(number, kind == BUY, lots, ticks, account)
        else:
            cancel(number)


def tell(engine: Engine) -> None:
    """Drive the engine through the file that the command line names; print what it did as JSON."""
    before, timed = read(Path(sys.argv[1]))
    drive(engine, before)
    fills, lots = engine.fills, engine.lots
    assert not fills
    assert not lots
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    began_s = process_time()
    drive(engine, timed)
    took_s = process_time() - began_s
    told = {"cpu_s": took_s, "operations": len(timed), "fills": engine.fills, "lots": engine.lots}
    print(json.dumps(told | {"open_lots": engine.open_lots()}))
