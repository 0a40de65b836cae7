"""A reader that is cut off again and again while orders flow has, by `since` alone, every change."""

from pathlib import Path

from tests.torture import FULL, SEED
from tests.torture.resuming import Campaign

CUTS = 200 if FULL else 25


async def test_a_reader_that_is_cut_off_holds_exactly_the_accounts_changes(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, SEED, CUTS)
    again = f"TORTURE_SEED={SEED} {'TORTURE=full ' if FULL else ''}pytest -s {__file__}"
    print(f"\nagain: {again}")
    try:
        await campaign.run()
    except AssertionError as error:
        tried = campaign.report.tried
        raise AssertionError(f"after {tried} cuts: {error}; again: {again}") from error
    campaign.report.check()
