"""Instruments: money comes out whole, and fees are rounded up."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.instrument import FEE_SCALE, Instrument, fee_units, parse_fee
from jayx_stream.model.order import Side
from jayx_stream.model.units import COUNT_MAX

TERMS: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "base": "BTC",
    "quote": "USDT",
    "tick_size": "0.01",
    "lot_size": "0.000001",
}


def test_money_of_the_protocols_example_is_whole() -> None:
    instrument = Instrument.define(**TERMS)
    assert (instrument.lot_units, instrument.tick_lot_units) == (100, 1)
    assert instrument.base_units(1_004_817) == 100_481_700
    assert instrument.quote_units(1_004_817, 6_684_363) == 1_004_817 * 6_684_363


def test_a_buy_reserves_its_cost_at_the_limit_and_a_sell_its_lots() -> None:
    instrument = Instrument.define(**TERMS)
    assert instrument.reserved_asset(Side.BUY) == "USDT"
    assert instrument.reserved_asset(Side.SELL) == "BTC"
    assert instrument.reserved_units(Side.BUY, 7, 101) == instrument.quote_units(7, 101) == 707
    assert instrument.reserved_units(Side.SELL, 7, 101) == instrument.base_units(7) == 700


def test_a_market_buy_reserves_nothing() -> None:
    assert Instrument.define(**TERMS).reserved_units(Side.BUY, 7, 0) == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tick_size": "0.001"}, r"tick_size 0\.001 x lot_size 0\.000001"),
        ({"lot_size": "0.000000001", "tick_size": "1000"}, r"lot_size 0\.000000001"),
        ({"tick_size": "0"}, "greater than 0"),
        ({"tick_size": "-0.01"}, "not a plain decimal"),
        ({"quote": "BTC"}, "both BTC"),
        ({"min_lots": 0}, "for 0 and"),
        ({"min_lots": 9, "max_lots": 8}, "for 9 and 8"),
        ({"max_lots": COUNT_MAX + 1}, str(COUNT_MAX + 1)),
        ({"maker_fee": "1.1"}, r"not 1\.1"),
        ({"taker_fee": "0.000000001"}, r"not 0\.000000001"),
    ],
)
def test_terms_that_do_not_work_are_refused_by_name(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Instrument.define(**TERMS | changes)


@pytest.mark.parametrize(
    ("text", "rate_e8"),
    [("0", 0), ("0.002", 200_000), ("0.00000001", 1), ("1", 10**8), ("1.0", 10**8)],
)
def test_a_fee_is_read_in_hundred_millionths(text: str, rate_e8: int) -> None:
    assert parse_fee(text) == rate_e8


@pytest.mark.parametrize(
    ("received", "rate", "fee"),
    [(0, "0.1", 0), (1, "0", 0), (1, "0.00000001", 1), (10, "0.1", 1), (11, "0.1", 2), (9, "1", 9)],
)
def test_a_fee_is_rounded_up_to_the_smallest_unit(received: int, rate: str, fee: int) -> None:
    assert fee_units(received, parse_fee(rate)) == fee


@given(st.integers(0, COUNT_MAX), st.integers(0, FEE_SCALE))
def test_a_fee_is_exact_or_less_than_one_unit_more_and_never_all_and_more(
    received: int, rate_e8: int
) -> None:
    fee = fee_units(received, rate_e8)
    assert fee == ceil(received * Fraction(rate_e8, 10**8))
    assert 0 <= fee <= received
