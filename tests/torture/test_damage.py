"""Damage to a journal is never accepted silently; see `damage`, and `make torture` for every byte."""

import pytest

from tests.torture import FULL, damage


@pytest.mark.parametrize("flip", [False, True], ids=["truncated", "flipped"])
@pytest.mark.parametrize(
    ("victim", "file"), [(victim, file) for victim, files in damage.FILES.items() for file in files]
)
def test_no_damage_is_accepted_silently(victim: str, file: str, flip: bool) -> None:
    report = damage.campaign(victim, file, flip=flip, full=FULL)
    report.check()
    assert report.tried > 50
