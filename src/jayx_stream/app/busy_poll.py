"""Busy polling: for a while after a batch the event loop asks what there is to do, where it would sleep.

A process that sleeps is woken late, and finds its caches cold: that is a third of the time from an order to
its first push.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter


class BusyPoll:
    """Keeps the event loop that runs awake. It takes a processor's whole time meanwhile."""

    def __init__(self, for_s: float, is_free: Callable[[], bool]) -> None:
        """`for_s`: after what was done last; 0 for never. `is_free`: whether no thread is waited for. A
        thread needs the interpreter, and a loop that never sleeps gives it away late.
        """
        self._for_s = for_s
        self._is_free = is_free
        self._until_s = 0.0
        self._will_ask = False

    def stir(self) -> None:
        """Something was done, and more may follow soon."""
        if not self._for_s:
            return
        self._until_s = perf_counter() + self._for_s
        if not self._will_ask:
            self._ask_next()

    def _ask(self) -> None:
        self._will_ask = False
        if perf_counter() < self._until_s and self._is_free():
            self._ask_next()

    def _ask_next(self) -> None:
        # Before it calls this, the loop asks the kernel, and with something to call it doesn't wait.
        self._will_ask = True
        asyncio.get_running_loop().call_soon(self._ask)
