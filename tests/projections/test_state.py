"""The views' state is one value: whoever restores it shows and folds on as if nothing had been."""

from itertools import islice
from random import Random

import msgspec
import pytest

from jayx_stream.model.events import Commit
from jayx_stream.model.order import Side
from jayx_stream.model.views import INTERVALS_S
from jayx_stream.projections import Projections, decode_projections, encode_projections, openorders
from tests.engine.driving import ACCOUNTS, KEY_TEXTS, key
from tests.projections.following import journal


def again(projections: Projections) -> Projections:
    restored = Projections()
    restored.restore(decode_projections(encode_projections(projections.state())))
    return restored


def answers(projections: Projections) -> list[object]:
    """All that can be asked."""
    told: list[object] = [projections.seq, projections.time_ns, list(projections.instruments)]
    told += [set(projections.halted), projections.minute_s, projections.keys.all()]
    told += [projections.keys.find(key("", text).digest) for text in KEY_TEXTS]
    for symbol in projections.instruments:
        told += [projections.ticker(symbol)]
        told += [projections.orderbook(symbol, precise, 100, 1000) for precise in (1, 3)]
        klines = projections.klines.get(symbol)
        if klines is not None:
            for interval_s in INTERVALS_S:
                told += [klines.current(interval_s), klines.closed(interval_s, 1000)]
    for account in (*ACCOUNTS, "eve"):
        told += [projections.positions.of(account)]
        told += [list(projections.orders.open_of(account, None))]
        told += [projections.orders.find(account, id, None) for id in range(1, 900)]
        told += [projections.orders.find(account, None, f"n{name}") for name in range(300)]
    return told


def fold(projections: Projections, commits: list[Commit]) -> list[object]:
    return [projections.apply(commit).turns for commit in commits]


@pytest.mark.parametrize("seed", range(4))
def test_restored_views_answer_and_fold_alike(seed: int) -> None:
    commits = journal(seed, 1200)
    life, restored, random = Projections(), Projections(), Random(seed)
    rest = iter(commits)
    while some := list(islice(rest, random.randint(1, 200))):
        restored = again(restored)
        assert fold(restored, some) == fold(life, some)
        assert answers(restored) == answers(life)
        assert encode_projections(restored.state()) == encode_projections(life.state())


def test_closed_orders_are_forgotten_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openorders, "CLOSED_ORDERS_MAX", 20)
    life, commits = Projections(), journal(1, 1500)
    fold(life, commits[:-200])
    restored = again(life)
    for commit in commits[-200:]:
        fold(life, [commit])
        fold(restored, [commit])
        assert restored.state() == life.state()
    assert max(len(orders) for _, orders in life.state().closed_orders) == 20


def test_instruments_stay_the_same_object() -> None:
    """The gate holds on to them."""
    life, restored = Projections(), Projections()
    fold(life, journal(2, 100))
    instruments = restored.instruments
    restored.restore(life.state())
    assert restored.instruments is instruments
    assert restored.books["OILUSD"].half(Side.BUY).levels(1, 1) == life.books["OILUSD"].half(
        Side.BUY
    ).levels(1, 1)


def test_anything_else_is_no_state() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_projections(encode_projections(Projections().state())[:-1])
