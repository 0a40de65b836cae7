"""Whole numbers and their decimal texts: nothing is rounded, and nothing odd is read."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.units import (
    ASSET_UNIT,
    NotADecimal,
    NotAStep,
    Step,
    format_decimal,
    parse_decimal,
    whole_units,
)

NO_DECIMALS = (
    "",
    " 1",
    "1\n",
    "-1",
    "+1",
    "1e3",
    "1.",
    ".5",
    "1,5",
    "1_0",
    "0x1",
    "NaN",
    "٣",
    "1.2.3",
)
TOO_LONG = ("9" * 31, "0." + "0" * 31)

mantissas = st.integers(-(10**30), 10**30)
decimals = st.integers(0, 20)
steps = st.builds(Step, mantissa=st.integers(1, 10**6), decimals=st.integers(0, 10))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", (0, 0)),
        ("0.0", (0, 0)),
        ("7", (7, 0)),
        ("100", (100, 0)),
        ("66843.63", (6684363, 2)),
        ("1.500", (15, 1)),
        ("0.00000001", (1, 8)),
        ("007.5", (75, 1)),
    ],
)
def test_a_plain_decimal_is_read_without_its_trailing_zeros(
    text: str, value: tuple[int, int]
) -> None:
    assert parse_decimal(text) == value


@pytest.mark.parametrize("text", NO_DECIMALS + TOO_LONG)
def test_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(NotADecimal):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("mantissa", "decimals", "text"),
    [
        (0, 0, "0"),
        (0, 8, "0"),
        (5, 0, "5"),
        (500, 0, "500"),
        (500, 2, "5"),
        (505, 2, "5.05"),
        (5, 3, "0.005"),
        (-5, 3, "-0.005"),
        (-1500, 3, "-1.5"),
        (10**20, 8, "1000000000000"),
    ],
)
def test_a_decimal_is_written_plainly(mantissa: int, decimals: int, text: str) -> None:
    assert format_decimal(mantissa, decimals) == text


@given(mantissas, decimals)
def test_a_written_decimal_is_the_number_and_no_longer_than_it_must_be(
    mantissa: int, decimals: int
) -> None:
    text = format_decimal(mantissa, decimals)
    assert Fraction(text) == Fraction(mantissa, 10**decimals)
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text)
    assert text != "-0"


@given(st.integers(0, 10**29), decimals)
def test_what_is_written_is_read_as_the_same_number(mantissa: int, decimals: int) -> None:
    read, read_decimals = parse_decimal(format_decimal(mantissa, decimals))
    assert read * 10**decimals == mantissa * 10**read_decimals


@given(steps, st.integers(0, 10**15))
def test_a_count_of_steps_survives_its_text(step: Step, count: int) -> None:
    assert step.count(step.text(count)) == count


def test_a_step_is_a_price_per_tick() -> None:
    tick = Step.parse("0.01")
    assert tick.text(6684363) == "66843.63"
    assert tick.count("66843.63") == 6684363
    assert tick.count("66843.630") == 6684363


def test_a_step_need_not_be_a_power_of_ten() -> None:
    tick = Step.parse("0.25")
    assert tick.text(5) == "1.25"
    assert tick.count("1.5") == 6


def test_a_step_may_be_larger_than_one() -> None:
    assert Step.parse("50").count("150") == 3


def test_what_lies_between_two_steps_is_told_its_neighbours() -> None:
    with pytest.raises(NotAStep, match=r"1\.3 lies between 1\.25 and 1\.5") as raised:
        Step.parse("0.25").count("1.3")
    assert (raised.value.below, raised.value.above) == ("1.25", "1.5")


@pytest.mark.parametrize("text", ["0", "0.000"])
def test_a_step_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Step.parse(text)


def test_steps_written_otherwise_are_equal() -> None:
    assert Step.parse("0.010") == Step.parse("0.01")


def test_an_assets_unit_is_its_hundred_millionth() -> None:
    assert ASSET_UNIT.text(1) == "0.00000001"


def test_a_product_of_steps_is_a_whole_number_of_units() -> None:
    assert whole_units(Step.parse("0.01"), Step.parse("0.000001")) == 1
    assert whole_units(Step.parse("0.5"), Step.parse("0.00000004")) == 2


@pytest.mark.parametrize(
    ("one", "other"), [("0.01", "0.0000001"), ("0.00001", "0.00001"), ("0.5", "0.00000003")]
)
def test_a_product_that_is_no_whole_number_of_units_is_refused(one: str, other: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        whole_units(Step.parse(one), Step.parse(other))
