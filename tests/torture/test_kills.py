"""kill -9 under order flow: nothing that was acknowledged is lost, nothing is placed twice."""

from pathlib import Path

from tests.torture import FULL, SEED
from tests.torture.kills import Campaign

KILLS = 1000 if FULL else 12


async def test_what_was_acknowledged_survives_any_kill(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, SEED, KILLS)
    print(f"\nagain: TORTURE_SEED={SEED} pytest -s tests/torture/test_kills.py")
    try:
        await campaign.run()
    except AssertionError as error:
        again = f"TORTURE_SEED={SEED} {'TORTURE=full ' if FULL else ''}pytest {__file__}"
        raise AssertionError(
            f"after {campaign.report.tried} kills: {error}; again: {again}"
        ) from error
    campaign.report.check()
    print(campaign.summary())
