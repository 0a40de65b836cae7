"""Instrument: what is traded, in which steps, at which fees; and all arithmetic of money on it."""

from typing import Self

from msgspec import Struct

from jayx_stream.model.order import Side
from jayx_stream.model.units import COUNT_MAX, Step, parse_decimal, power_of_ten, whole_units

CATEGORY = "spot"
"""The only category there is; it stands in requests and stream names."""

FEE_DECIMALS = 8
FEE_SCALE = power_of_ten(FEE_DECIMALS)


def parse_fee(text: str) -> int:
    """Read a fee rate such as `"0.002"` as hundred-millionths. Raises ValueError outside 0 to 1."""
    mantissa, decimals = parse_decimal(text)
    if decimals > FEE_DECIMALS or mantissa > power_of_ten(decimals):
        raise ValueError(f"a fee is a rate from 0 to 1 with at most 8 decimals, not {text}")
    return mantissa * power_of_ten(FEE_DECIMALS - decimals)


class Instrument(Struct, frozen=True, kw_only=True):
    """A pair of assets that can be traded. Made by `define`, which checks that money comes out whole."""

    symbol: str
    base: str
    quote: str
    tick_size: Step
    """Quote per tick: price = ticks × tick_size."""
    lot_size: Step
    """Base per lot: quantity = lots × lot_size."""
    min_lots: int
    max_lots: int
    maker_fee_e8: int
    """Rate in hundred-millionths, taken from what the maker receives."""
    taker_fee_e8: int
    lot_units: int
    """Base units of one lot."""
    tick_lot_units: int
    """Quote units of one lot at a price of one tick."""

    @classmethod
    def define(
        cls,
        *,
        symbol: str,
        base: str,
        quote: str,
        tick_size: str,
        lot_size: str,
        min_lots: int = 1,
        max_lots: int = 100_000_000_000,
        maker_fee: str = "0",
        taker_fee: str = "0",
    ) -> Self:
        """Check and derive. Raises ValueError that names the value at fault."""
        tick, lot = Step.parse(tick_size), Step.parse(lot_size)
        if base == quote:
            raise ValueError(f"base and quote of {symbol} are both {base}")
        if not 1 <= min_lots <= max_lots <= COUNT_MAX:
            raise ValueError(f"1 <= min_lots <= max_lots fails for {min_lots} and {max_lots}")
        try:
            lot_units = whole_units(lot)
        except ValueError as error:
            raise ValueError(f"lot_size {lot_size}: {error}") from None
        try:
            tick_lot_units = whole_units(tick, lot)
        except ValueError as error:
            raise ValueError(f"tick_size {tick_size} x lot_size {lot_size}: {error}") from None
        return cls(
            symbol=symbol,
            base=base,
            quote=quote,
            tick_size=tick,
            lot_size=lot,
            min_lots=min_lots,
            max_lots=max_lots,
            maker_fee_e8=parse_fee(maker_fee),
            taker_fee_e8=parse_fee(taker_fee),
            lot_units=lot_units,
            tick_lot_units=tick_lot_units,
        )

    def base_units(self, lots: int) -> int:
        """What `lots` are in units of the base asset."""
        return lots * self.lot_units

    def quote_units(self, lots: int, ticks: int) -> int:
        """What `lots` cost at `ticks`, in units of the quote asset; exact."""
        return lots * ticks * self.tick_lot_units

    def reserved_asset(self, side: Side) -> str:
        """The asset that an order of this side gives, and so reserves."""
        return self.quote if side is Side.BUY else self.base

    def reserved_units(self, side: Side, lots: int, limit_ticks: int) -> int:
        """What `lots` of an open order reserve. A market BUY has limit 0 and reserves nothing."""
        if side is Side.BUY:
            return lots * limit_ticks * self.tick_lot_units
        return lots * self.lot_units


def fee_units(received_units: int, rate_e8: int) -> int:
    """The fee on what is received, rounded up to the smallest unit (protocol §9)."""
    return -(-received_units * rate_e8 // FEE_SCALE)
