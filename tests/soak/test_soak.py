"""A few seconds of a soak: of clients who have gone nothing is left, to the last descriptor and task."""

from pathlib import Path

from tests.soak.run import CROWD, soak

SECONDS = 6.0
SEED = 3


async def test_nothing_is_left_of_clients_who_have_gone(tmp_path: Path) -> None:
    outcome = await soak(tmp_path, SECONDS, SEED)
    assert outcome.bad == ()
    for kind in CROWD:
        assert outcome.counts[kind.__name__] > 0, f"no {kind.__name__} has lived"
    assert outcome.counts["orders"] > 0
    assert outcome.counts["pushes"] > 0
