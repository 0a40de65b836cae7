"""Profiles: figures of real markets, from which simulated traders draw. Made by `fit`, kept in
`profile.toml`. The only floats of this room are here, in `fit` and in `flow`: none is money.
"""

import tomllib
from collections.abc import Sequence
from importlib.resources import files

import msgspec
from msgspec import Struct

from jayx_stream.model.instrument import Instrument

DEFAULT_SYMBOL = "ETHUSDT"
"""Whose profile stands in, scaled, for an instrument that has none."""
DEFAULT_START_TICKS = 10_000
"""Start of an instrument whose price nobody knows: one tick is then one basis point."""

Table = tuple[float, ...]
"""n values at the probabilities (i + ½) / n, ascending."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One symbol's figures. A basis point (bp) is 1/10,000 of the price."""

    start_price: float
    """Quote per base, the first one recorded."""
    volatility_bp: float
    """Standard deviation of the mid price's change in a second."""
    taker_orders_per_s: float
    """Trades of one side, each within a millisecond of the one before, are one order. Not drawn
    from; see `taker_gap_ms`."""
    same_side: float
    """Probability that a taker's order is on the side of the one before."""
    level_changes_per_s: float
    removals: float
    """The part of level changes that leave nothing at the price."""
    taker_gap_ms: Table
    """From one taker's order to the next; few long gaps among many short ones are the bursts."""
    taker_quantity: Table
    """In base."""
    spread_bp: Table
    distance_bp: Table
    """From the best price of their side to levels that were set."""
    level_quantity: Table
    """In base, of levels that were set."""


def load_profiles() -> dict[str, Profile]:
    """The profiles that come with the program, by symbol."""
    text = files("jayx_stream.market").joinpath("profile.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Profile])


def profile_for(instrument: Instrument, profiles: dict[str, Profile]) -> Profile:
    """The instrument's own profile, or the default one: at a price of `DEFAULT_START_TICKS`, and
    with sizes that are worth as much in quote as the default's.
    """
    own = profiles.get(instrument.symbol)
    if own is not None:
        return own
    default = profiles[DEFAULT_SYMBOL]
    start_price = float(instrument.tick_size.text(DEFAULT_START_TICKS))
    scale = default.start_price / start_price
    return msgspec.structs.replace(
        default,
        start_price=start_price,
        taker_quantity=tuple(each * scale for each in default.taker_quantity),
        level_quantity=tuple(each * scale for each in default.level_quantity),
    )


def table(values: Sequence[float], size: int) -> Table:
    """The quantiles of values, rounded to 5 digits: all that a table of `size` keeps of them."""
    ordered = sorted(values)
    indices = (int((i + 0.5) / size * len(ordered)) for i in range(size))
    return tuple(float(f"{ordered[index]:.5g}") for index in indices)


def quantile(values: Table, probability: float) -> float:
    """The value at a probability of 0 to 1, on the line between its neighbours in the table."""
    place = min(max(probability * len(values) - 0.5, 0.0), len(values) - 1.0)
    index = min(int(place), len(values) - 2)
    return values[index] + (values[index + 1] - values[index]) * (place - index)
