"""Whole numbers and their decimal texts. Rule: no float, and no rounding that isn't asked for.

A price is a count of ticks, a size a count of lots, money a count of an asset's smallest unit.
`Step` is what one of them is worth; it is the only way from and to decimal text.
"""

import re

from msgspec import Struct

UNIT_DECIMALS = 8
"""An asset's smallest unit is 10⁻⁸ of it (protocol §1)."""

COUNT_MAX = 2**63 - 1
"""No count of anything exceeds this: the journal and every database hold 64-bit integers."""

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
MINUTE_NS = 60 * NS_PER_S

_PLAIN_DECIMAL = re.compile(r"(\d{1,30})(?:\.(\d{1,30}))?", re.ASCII)


class NotADecimal(ValueError):
    """The text is no plain, unsigned decimal such as `66843.63`."""


class NotAStep(ValueError):
    """The value lies between two steps; `below` and `above` are the nearest ones, as texts."""

    def __init__(self, text: str, below: str, above: str) -> None:
        super().__init__(f"{text} lies between {below} and {above}")
        self.below = below
        self.above = above


def power_of_ten(exponent: int) -> int:
    """10 to an exponent of at least 0, as the whole number that it is."""
    power: int = 10**exponent
    return power


def parse_decimal(text: str) -> tuple[int, int]:
    """Give `(mantissa, decimals)` with value = mantissa × 10^-decimals, without trailing zeros.

    Raises NotADecimal for signs, exponents, blanks, or a missing digit on either side of the point.
    """
    match = _PLAIN_DECIMAL.fullmatch(text)
    if match is None:
        raise NotADecimal(f"{text!r} is not a plain decimal such as 66843.63")
    fraction = (match[2] or "").rstrip("0")
    return int(match[1] + fraction), len(fraction)


def format_decimal(mantissa: int, decimals: int) -> str:
    """Plain notation: no exponent, no trailing zeros, no leading `+`; zero is `"0"` (protocol §1)."""
    if decimals == 0:
        return str(mantissa)
    sign, digits = ("-", str(-mantissa)) if mantissa < 0 else ("", str(mantissa))
    digits = digits.rjust(decimals + 1, "0")
    fraction = digits[-decimals:].rstrip("0")
    whole = sign + digits[:-decimals]
    return f"{whole}.{fraction}" if fraction else whole


class Step(Struct, frozen=True, array_like=True):
    """What one tick, lot or unit is worth: mantissa × 10^-decimals, greater than zero."""

    mantissa: int
    decimals: int

    @classmethod
    def parse(cls, text: str) -> "Step":
        """Read a step such as `"0.01"`. Raises NotADecimal; ValueError if it is zero."""
        mantissa, decimals = parse_decimal(text)
        if mantissa == 0:
            raise ValueError(f"a step must be greater than 0, not {text}")
        return cls(mantissa, decimals)

    def text(self, count: int) -> str:
        """The decimal text of `count` steps."""
        return format_decimal(count * self.mantissa, self.decimals)

    def count(self, text: str) -> int:
        """How many steps `text` is. Raises NotADecimal, or NotAStep if it isn't a whole number."""
        mantissa, decimals = parse_decimal(text)
        scale = max(decimals, self.decimals)
        value = mantissa * power_of_ten(scale - decimals)
        count, rest = divmod(value, self.mantissa * power_of_ten(scale - self.decimals))
        if rest:
            raise NotAStep(text, self.text(count), self.text(count + 1))
        return count


ASSET_UNIT = Step(1, UNIT_DECIMALS)
"""The smallest unit of every asset."""


def whole_units(*steps: Step) -> int:
    """The product of steps in asset units. Raises ValueError if it is not a whole number of them."""
    mantissa, decimals = 1, 0
    for step in steps:
        mantissa *= step.mantissa
        decimals += step.decimals
    units, rest = divmod(mantissa * power_of_ten(UNIT_DECIMALS), power_of_ten(decimals))
    if rest or units == 0:
        product = format_decimal(mantissa, decimals)
        raise ValueError(f"{product} is not a whole number of the asset's units of 0.00000001")
    return units
