"""What drives the venue beside its clients: nobody, simulated traders, or recorded markets."""

import asyncio
import sys
from pathlib import Path
from typing import Protocol

import msgspec

from jayx_stream.app.clock import Clock, RecordedClock, system_clock
from jayx_stream.app.config import Account, ApiKey, Config
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.app.welcome import DEMO_KEY, DEMO_SECRET, welcome
from jayx_stream.market import Driver
from jayx_stream.market.recording import Fault, first_time_ns
from jayx_stream.market.replay import Progress, Replay
from jayx_stream.market.traders import SimulatedMarket
from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.units import NS_PER_S

DEMO_DEPOSIT = "1000"
"""Of each base asset, and a thousand times as much of each quote, if the file has no demo account."""

FIRST_QUOTES_S = 1.0
"""After which the simulated makers have quoted both sides of each book."""

DEMO_ORDER_UNITS = 100 * 10**8
"""What each of the demo account's resting orders is worth, about, in quote units."""


class DrivingError(Exception):
    """What was asked for can't drive a venue; the message names it."""


class Driving(Protocol):
    """A choice of driver. `config` and `clock` are those that the venue is to be made with."""

    config: Config
    clock: Clock

    def driver(self, venue: EmbeddedVenue) -> Driver | None:
        """The driver of a venue that serves. Raises DrivingError."""
        ...

    async def begin(self, venue: EmbeddedVenue, port: int) -> str:
        """What else belongs to the start; gives a text for people."""
        ...

    def end(self) -> str:
        """When the driver has nothing left to do: a text for people."""
        ...


def choose(
    config: Config, *, demo: bool, seed: int, replay: tuple[Path, ...], speed: str
) -> Driving:
    """What the command line asks for. Raises DrivingError, RecordingError."""
    if demo and replay:
        raise DrivingError("--demo and --replay exclude each other: one market at a time")
    if replay:
        return Recorded(config, replay, read_speed(speed))
    return Simulated(config, seed) if demo else Nobody(config)


def read_speed(text: str) -> float | None:
    """A multiple of the recorded pace; None for `max`. Raises DrivingError."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise DrivingError(f"--speed {text}: it is max, or a number greater than 0")
    return speed


class Nobody:
    """Only clients trade."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock: Clock = system_clock

    def driver(self, venue: EmbeddedVenue) -> Driver | None:
        """See `Driving`."""
        return None

    async def begin(self, venue: EmbeddedVenue, port: int) -> str:
        """See `Driving`."""
        return ""

    def end(self) -> str:
        """See `Driving`."""
        return ""


class Simulated:
    """Simulated traders make a market, and the user's own key finds an account in it."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = _with_demo_account(config)
        self.clock: Clock = system_clock
        self._seed = seed

    def driver(self, venue: EmbeddedVenue) -> Driver | None:
        """See `Driving`."""
        return SimulatedMarket(
            list(venue.projections.instruments.values()),
            venue.submit,
            seed=self._seed,
            last_ticks=lambda symbol: _last_ticks(venue, symbol),
        )

    async def begin(self, venue: EmbeddedVenue, port: int) -> str:
        """Give the demo account a resting order on each side of each book, unless it has some."""
        account, secret = _demo_account(self.config)
        symbols = list(venue.projections.instruments)
        if not any(venue.projections.orders.open_of(account, None)):
            await asyncio.sleep(FIRST_QUOTES_S)
            for symbol in symbols:
                await self._rest(venue, account, symbol)
        return welcome(self.config, port, symbols[0], secret)

    def end(self) -> str:
        """See `Driving`."""
        return "the simulated traders have gone; the venue serves on"

    async def _rest(self, venue: EmbeddedVenue, account: str, symbol: str) -> None:
        instrument = venue.projections.instruments[symbol]
        book = venue.projections.orderbook(symbol, 1, 1, trades=0)
        for side, best, percent in ((Side.BUY, book.bids, 98), (Side.SELL, book.asks, 102)):
            if best:
                ticks = max(1, best[0].ticks * percent // 100)
                lots = DEMO_ORDER_UNITS // instrument.quote_units(1, ticks)
                order = PlaceOrder(
                    account=account,
                    symbol=symbol,
                    side=side,
                    type=OrderType.LIMIT,
                    lots=min(max(lots, instrument.min_lots), instrument.max_lots),
                    limit_ticks=ticks,
                )
                await venue.submit(order)


class Recorded:
    """Recorded markets; the venue's clock is theirs."""

    def __init__(self, config: Config, paths: tuple[Path, ...], speed: float | None) -> None:
        self.config = config
        self._paths = paths
        self._speed = speed
        self._first_ns = first_time_ns(paths)
        self._clock = RecordedClock(self._first_ns)
        self.clock: Clock = self._clock
        self._replay: Replay | None = None

    def driver(self, venue: EmbeddedVenue) -> Driver | None:
        """See `Driving`. A journal that has seen later times can't go back."""
        if venue.recovered_ns > self._first_ns:
            raise DrivingError(
                f"the journal in {venue.config.data.dir} goes beyond the recording's first line: "
                "replay into an empty --data-dir"
            )
        self._replay = Replay(
            self._paths,
            list(venue.projections.instruments.values()),
            venue.submit,
            self._clock.advance,
            speed=self._speed,
            on_fault=_say_fault,
            on_progress=_say_progress,
        )
        return self._replay

    async def begin(self, venue: EmbeddedVenue, port: int) -> str:
        """See `Driving`."""
        names = ", ".join(path.name for path in self._paths)
        return f"replaying {names}; others can trade meanwhile"

    def end(self) -> str:
        """See `Driving`."""
        assert self._replay is not None, "the driver was not made"
        return f"the replay is over; the venue serves on\n{self._replay.summary()}"


def _with_demo_account(config: Config) -> Config:
    """The configuration with an account for the user's own key, if it has none."""
    if any(key.api_key == DEMO_KEY for account in config.accounts for key in account.keys):
        return config
    deposits = {terms.base: DEMO_DEPOSIT for terms in config.instruments}
    deposits |= {terms.quote: f"{DEMO_DEPOSIT}000" for terms in config.instruments}
    key = ApiKey(api_key=DEMO_KEY, secret=DEMO_SECRET, permissions=("read", "trade"))
    account = Account(name="demo", deposits=deposits, keys=(key,))
    return msgspec.structs.replace(config, accounts=(*config.accounts, account))


def _demo_account(config: Config) -> tuple[str, str]:
    """Name and secret of the account that the user's own key belongs to."""
    return next(
        (account.name, key.secret or DEMO_SECRET)
        for account in config.accounts
        for key in account.keys
        if key.api_key == DEMO_KEY
    )


def _last_ticks(venue: EmbeddedVenue, symbol: str) -> int | None:
    """The last traded price of a symbol, None if it never traded."""
    last = venue.projections.trades[symbol].last(1)
    return last[0].ticks if last else None


def _say_fault(fault: Fault) -> None:
    print(f"\r\x1b[Kjayx-stream: {fault}", file=sys.stderr, flush=True)


def _say_progress(progress: Progress) -> None:
    minutes, seconds = divmod(progress.time_ns // NS_PER_S % 3600, 60)
    print(
        f"\r\x1b[K{progress.percent:5.1f} %  {progress.lines} lines  {progress.orders} orders  "
        f"{progress.trades} trades  {progress.bad_lines} bad  recorded :{minutes:02}:{seconds:02}  "
        f"{progress.elapsed_s:.0f} s",
        end="" if progress.percent < 100 else "\n",
        file=sys.stderr,
        flush=True,
    )
