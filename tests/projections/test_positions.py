"""Positions are the engine's ledger, seen through nothing but events."""

import pytest

from jayx_stream.engine import Exchange
from jayx_stream.model.events import AccountOpened, Commit, Deposited
from jayx_stream.model.views import Position, Positions
from jayx_stream.projections import Projections
from tests.projections.following import follow


def ledger_positions(exchange: Exchange, account: str) -> Positions:
    """What the engine's ledger says."""
    balances = sorted(exchange.ledger.balances(account).items())
    return Positions(
        tuple(Position(asset, each.units, each.available_units) for asset, each in balances)
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_positions_of_a_crowd_equal_the_engines_ledger(seed: int) -> None:
    for exchange, projections, _ in follow(seed, 1200):
        for account in exchange.ledger.accounts():
            if exchange.ledger.has(account):
                expected = ledger_positions(exchange, account)
                assert projections.positions.of(account) == expected, account


@pytest.mark.parametrize("seed", [1, 2])
def test_an_account_that_is_not_told_of_has_not_changed(seed: int) -> None:
    before: dict[str, Positions] = {}
    for exchange, projections, changes in follow(seed, 1200):
        for account in exchange.ledger.accounts():
            now = projections.positions.of(account)
            assert account in changes.positions or before.get(account, now) == now
            before[account] = now


def test_assets_are_sorted_and_listed_from_the_first_deposit_on() -> None:
    projections = Projections()
    events = (
        AccountOpened("ann"),
        Deposited("ann", "USD", 5, "1"),
        Deposited("ann", "OIL", 7, "2"),
    )
    projections.apply(Commit(1, 0, events))
    assert projections.positions.of("ann") == Positions(
        (Position("OIL", 7, 7), Position("USD", 5, 5))
    )


def test_an_account_without_anything_and_one_that_is_not_there_have_no_positions() -> None:
    projections = Projections()
    projections.apply(Commit(1, 0, (AccountOpened("ann"),)))
    assert projections.positions.of("ann") == projections.positions.of("zoe") == Positions(())


def test_a_new_asset_moves_those_behind_it_and_changes_nothing_that_was_told() -> None:
    projections = Projections()
    opened = (
        AccountOpened("ann"),
        Deposited("ann", "OIL", 7, "1"),
        Deposited("ann", "USD", 5, "2"),
    )
    projections.apply(Commit(1, 0, opened))
    before = projections.positions.of("ann")
    later = (Deposited("ann", "USD", 1, "3"), Deposited("ann", "GAS", 2, "4"))
    projections.apply(Commit(2, 0, (*later, Deposited("ann", "OIL", 1, "5"))))
    assert before == Positions((Position("OIL", 7, 7), Position("USD", 5, 5)))
    assert projections.positions.of("ann") == Positions(
        (Position("GAS", 2, 2), Position("OIL", 8, 8), Position("USD", 6, 6))
    )
