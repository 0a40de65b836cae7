"""Profiles are what `fit` makes of recordings."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from jayx_stream.market.fit import fit, toml
from jayx_stream.market.profile import Profile, load_profiles, profile_for, quantile, table
from jayx_stream.model.instrument import Instrument
from tests.market.lines import depth, trade, write
from tests.market.test_replay import RECORDINGS


def test_the_packaged_profile_is_fitted_on_the_recordings() -> None:
    for recording in RECORDINGS:
        if not recording.exists():
            pytest.skip(f"there is no {recording}")
    assert _again(fit(RECORDINGS)) == load_profiles()


def _again(profiles: dict[str, Profile]) -> dict[str, Profile]:
    return msgspec.convert(tomllib.loads(toml(profiles)), dict[str, Profile])


def test_figures_of_a_plain_market_are_as_it_was_made(tmp_path: Path) -> None:
    lines = []
    for second in range(100):
        ms = second * 1000
        up = second % 2
        gone = [("100.1", "0"), ("100.3", "0")][1 - up]
        there = ["100.1", "100.3"][up]
        lines.append(depth(ms, [("100", "1")], [gone, (there, "2")]))
        lines.append(trade(ms + 500, there, "0.5"))
        lines.append(trade(ms + 500, there, "0.25"))
    profile = _again(fit([write(tmp_path / "market", *lines)]))["BTCUSDT"]
    assert profile.start_price == 100.1
    assert profile.taker_orders_per_s == pytest.approx(1, rel=0.02)
    assert set(profile.taker_quantity) == {0.75}
    assert set(profile.taker_gap_ms) == {1000.0}
    assert profile.same_side == 1
    assert profile.volatility_bp == pytest.approx(10, rel=0.01)
    assert profile.removals == pytest.approx(1 / 3, abs=0.001)
    assert profile.spread_bp[0] == pytest.approx(10, rel=0.01)
    assert set(profile.distance_bp) == {0.0}


def test_too_little_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too few"):
        fit([write(tmp_path / "market", depth(0), trade(1, "1", "1"))])


def test_quantiles_lie_between_the_values() -> None:
    values = table([float(each) for each in range(100)], 10)
    assert values == (5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0, 85.0, 95.0)
    assert quantile(values, 0.0) == 5.0
    assert quantile(values, 0.5) == 50.0
    assert quantile(values, 1.0) == 95.0


def test_an_unknown_instrument_trades_as_much_in_quote() -> None:
    instrument = Instrument.define(
        symbol="XYZUSDT", base="XYZ", quote="USDT", tick_size="0.0001", lot_size="1"
    )
    profiles = load_profiles()
    profile = profile_for(instrument, profiles)
    assert profile.start_price == 1.0
    worth = profiles["ETHUSDT"].taker_quantity[12] * profiles["ETHUSDT"].start_price
    assert profile.taker_quantity[12] * profile.start_price == pytest.approx(worth)
