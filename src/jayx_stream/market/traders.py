"""Simulated traders as a driver: the actions of `flow`, at their time, as orders at the exchange."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from jayx_stream.market import Submit
from jayx_stream.market.flow import MAKERS, TAKERS, Action, Quote, Start, Take, Withdraw, flow
from jayx_stream.market.funding import SIMULATED_DEPOSIT_UNITS, fund
from jayx_stream.market.pipeline import Pipeline, Sent
from jayx_stream.market.profile import load_profiles, profile_for
from jayx_stream.model.commands import CancelAll, PlaceOrder
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType
from jayx_stream.model.units import NS_PER_S, power_of_ten

BEHIND_NS_MAX = NS_PER_S // 2
"""After a longer stall what was missed is not made up for."""
PAUSE_S = 1.0
"""After a command that the exchange did not take."""
PAUSES_MAX = 30
"""In a row; then the exchange is taken for stopped."""


class SimulatedMarket:
    """See `Driver`. Never ends by itself, unless the exchange does."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        submit: Submit,
        *,
        seed: int = 1,
        last_ticks: Callable[[str], int | None] = lambda symbol: None,
        now_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`last_ticks` gives a symbol's last traded price when the traders start, None for one of
        the profile. `now_ns` and `sleep` (in seconds) are the time by which they are paced.
        """
        self._instruments = instruments
        self._submit = submit
        self._seed = seed
        self._last_ticks = last_ticks
        self._now_ns = now_ns
        self._sleep = sleep
        self._pipeline = Pipeline(submit)
        self._slots: dict[int, Sent] = {}

    async def prepare(self) -> None:
        await fund(self._submit, MAKERS + TAKERS, self._instruments, SIMULATED_DEPOSIT_UNITS)

    async def run(self) -> None:
        due_ns = self._now_ns()
        for delay_ns, action in flow(self._starts(), self._seed):
            if delay_ns:
                due_ns = max(due_ns + delay_ns, self._now_ns() - BEHIND_NS_MAX)
                await self._sleep(max(0, due_ns - self._now_ns()) / NS_PER_S)
            await self._act(action)
            if self._pipeline.unavailable is not None and not await self._resume():
                return

    def _starts(self) -> list[Start]:
        profiles = load_profiles()
        starts = []
        for instrument in self._instruments:
            profile = profile_for(instrument, profiles)
            ticks = self._last_ticks(instrument.symbol) or _ticks(profile.start_price, instrument)
            starts.append(Start(instrument, profile, ticks))
        return starts

    async def _act(self, action: Action) -> None:
        match action:
            case Quote():
                order = _order(action, OrderType.POST_ONLY)
                self._slots[action.slot] = await self._pipeline.send(order)
            case Withdraw():
                quoted = self._slots.pop(action.slot, None)
                if quoted is not None:
                    await self._pipeline.cancel(quoted)
            case Take():
                await self._pipeline.send(_order(action, OrderType.IOC))

    async def _resume(self) -> bool:
        """Wait until the exchange takes commands again, and begin with an empty book; False if it
        takes none for long.
        """
        for _ in range(PAUSES_MAX):
            await self._sleep(PAUSE_S)
            self._pipeline.unavailable = None
            for account in MAKERS:
                await self._pipeline.send(CancelAll(account=account))
            await self._pipeline.drain()
            if self._pipeline.unavailable is None:
                self._slots.clear()
                return True
        return False


def _order(action: Quote | Take, type: OrderType) -> PlaceOrder:
    return PlaceOrder(
        account=action.account,
        symbol=action.symbol,
        side=action.side,
        type=type,
        lots=action.lots,
        limit_ticks=action.limit_ticks,
    )


def _ticks(price: float, instrument: Instrument) -> int:
    """A price as ticks, rounded, at least 1."""
    tick = instrument.tick_size
    return max(1, round(price * power_of_ten(tick.decimals) / tick.mantissa))
