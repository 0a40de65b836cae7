"""How long the garbage collector stops a venue that holds 100,000 resting orders, set this way and that.

Engine and projections do 200,000 commands of `crowd` on top of them. Each setting in a process of its
own; wall time, so the longest pause of a busy machine is longer than the collector's own. `whole` is
a collection of everything that the setting leaves to be looked at, when all is done.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.crowd import ACCOUNTS, BTCUSDT, commit, crowd, ready
from benchmarks.running import machine
from jayx_stream.app.serve import GC_THRESHOLDS
from jayx_stream.engine import is_compiled
from jayx_stream.model.commands import Command, PlaceOrder
from jayx_stream.model.order import OrderType, Side

COMMANDS = 200_000
RESTING_ORDERS = 100_000
FAR_TICKS = 1_000_000
"""From the mid: nobody reaches so far."""
ROUNDS = 3
MID_TICKS = 6_684_363


def as_python_does() -> None:
    """Nothing is set."""


def with_thresholds() -> None:
    """Look less often."""
    gc.set_threshold(*GC_THRESHOLDS)


def with_thresholds_and_freeze() -> None:
    """As `jayx-stream serve` does: what was there at the start is looked at no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


SETTINGS: dict[str, Callable[[], None]] = {
    "Python's defaults": as_python_does,
    "thresholds": with_thresholds,
    "freeze and thresholds": with_thresholds_and_freeze,
}


def resting() -> list[Command]:
    """Orders far from the mid, in levels of ten."""
    return [
        PlaceOrder(
            account=ACCOUNTS[number % len(ACCOUNTS)],
            symbol=BTCUSDT.symbol,
            side=Side.BUY if number % 2 else Side.SELL,
            type=OrderType.LIMIT,
            lots=1,
            limit_ticks=MID_TICKS + (-1 if number % 2 else 1) * (FAR_TICKS + number // 20),
        )
        for number in range(RESTING_ORDERS)
    ]


def measure(setting: str) -> dict[str, float]:
    """The pauses of one setting, in milliseconds."""
    before, commands = crowd(COMMANDS)
    exchange, projections = ready([*before, *resting()])
    pauses_s: list[float] = []
    began_s = 0.0

    def watch(phase: str, _: dict[str, int]) -> None:
        nonlocal began_s
        if phase == "start":
            began_s = perf_counter()
        else:
            pauses_s.append(perf_counter() - began_s)

    gc.collect()
    SETTINGS[setting]()
    gc.callbacks.append(watch)
    start_s = perf_counter()
    for command in commands:
        done = commit(exchange, command)
        if done is not None:
            projections.apply(done)
    took_s = perf_counter() - start_s
    gc.callbacks.remove(watch)
    start_s = perf_counter()
    gc.collect()
    whole_s = perf_counter() - start_s
    return {
        "open": len(exchange.orders),
        "count": len(pauses_s),
        "longest_ms": max(pauses_s, default=0) * 1000,
        "share": sum(pauses_s) / took_s,
        "whole_ms": whole_s * 1000,
    }


def in_process(setting: str) -> dict[str, float]:
    """What `measure` tells in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_pauses", setting],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(run.stdout)
    return told


def main() -> None:
    print(f"{machine()}, compiled: {'yes' if is_compiled() else 'no'}")
    rounds = [{setting: in_process(setting) for setting in SETTINGS} for _ in range(ROUNDS)]
    opened = rounds[0]["thresholds"]["open"]
    print(f"{COMMANDS:,} commands, {opened:,.0f} orders open in the end, best of {ROUNDS} rounds\n")
    print(f"{'':24}{'pauses':>10}{'longest ms':>12}{'of all time':>12}{'whole ms':>10}")
    for setting in SETTINGS:
        best = min((each[setting] for each in rounds), key=lambda told: told["longest_ms"])
        print(
            f"{setting:24}{best['count']:>10,.0f}{best['longest_ms']:>12.1f}{best['share']:>12.1%}"
            f"{min(each[setting]['whole_ms'] for each in rounds):>10.1f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
