"""Keys are found by their hash while they stand, and listed for ever."""

import pytest

from jayx_stream.model.events import Commit, KeyAdded, KeyRevoked
from jayx_stream.projections import KeyView, Projections
from tests.engine.driving import KEY_TEXTS, key
from tests.projections.following import follow

FIRST, SECOND = key("ann", "first"), key("bob", "second")


@pytest.fixture
def projections() -> Projections:
    """Both keys were added, then the first was revoked."""
    projections = Projections()
    projections.apply(Commit(1, 10, (KeyAdded(FIRST),)))
    projections.apply(Commit(2, 20, (KeyAdded(SECOND),)))
    projections.apply(Commit(3, 30, (KeyRevoked(FIRST.key_id),)))
    return projections


def test_only_a_key_that_stands_is_found(projections: Projections) -> None:
    assert projections.keys.find(SECOND.digest) == SECOND
    assert projections.keys.find(FIRST.digest) is None
    assert projections.keys.find(b"another") is None


def test_all_that_ever_were_are_listed_oldest_first(projections: Projections) -> None:
    assert projections.keys.all() == (KeyView(FIRST, 10, 30), KeyView(SECOND, 20))


def test_a_key_is_known_by_its_id_revoked_or_not(projections: Projections) -> None:
    assert projections.keys.by_id(FIRST.key_id) == KeyView(FIRST, 10, 30)
    assert projections.keys.by_id(SECOND.key_id) == KeyView(SECOND, 20)
    assert projections.keys.by_id("0" * 12) is None


def test_a_revocation_is_told_with_its_commit() -> None:
    projections = Projections()
    added = projections.apply(Commit(1, 10, (KeyAdded(FIRST), KeyAdded(SECOND))))
    gone = (KeyRevoked(SECOND.key_id), KeyRevoked(FIRST.key_id))
    revoked = projections.apply(Commit(2, 20, gone))
    assert added.revoked == []
    assert revoked.revoked == [SECOND.key_id, FIRST.key_id]


@pytest.mark.parametrize("seed", [1, 2])
def test_keys_of_a_crowd_are_the_engines(seed: int) -> None:
    for exchange, projections, _ in follow(seed, 1200):
        for text in KEY_TEXTS:
            digest = key("", text).digest
            stands = exchange.keyring.stands.get(digest[:6].hex())
            assert (projections.keys.find(digest) is not None) == bool(stands)
            assert (projections.keys.by_id(digest[:6].hex()) is None) == (stands is None)


@pytest.mark.parametrize("seed", [1, 2])
def test_halted_symbols_of_a_crowd_are_the_engines(seed: int) -> None:
    seen = set()
    for exchange, projections, _ in follow(seed, 2500):
        assert projections.halted == exchange.listings.halted
        seen |= projections.halted
    assert seen == {"OILUSD", "TINUSD"}
