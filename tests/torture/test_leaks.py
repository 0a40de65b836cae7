"""Nobody ever reads a byte about an account that he has no key of."""

from pathlib import Path

from tests.torture import FULL, SEED
from tests.torture.leaks import Campaign, owners

EVENTS = 1_000_000 if FULL else 20_000


async def test_no_byte_about_an_account_reaches_whoever_has_no_key_of_it(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, SEED, EVENTS)
    await campaign.run()
    campaign.report.check()
    assert campaign.findings.revoked_s, "no connection was ended by a revoked key"


def test_the_scan_sees_every_mark_of_an_account() -> None:
    order = b'{"cancel":[],"modify":[{"id":1,"price":"10","quantity":"0.004207"}]}'
    positions = b'{"spot":[{"asset":"TAG","balance":"700042","available":"700042"}]}'
    assert owners(b'"stream":"openorders:spot@acct42"') == {42}
    assert owners(order) == {7}
    assert owners(order.replace(b"0.004207", b"0.0042")) == {0}
    assert owners(positions) == {42}
    assert owners(b'{"asks":[{"ticks":1,"lots":4207,"count":1}]}') == set()
