"""A soak's judgement: it sees what grows, and what is left behind."""

from dataclasses import fields, replace

import pytest

from tests.soak.judging import MINUTE_KIB, NAMED_ORDER_KIB, Held, Sample, judge, slope_of

REST = Held(
    descriptors=20,
    threads=5,
    tasks=8,
    connections=0,
    streams=0,
    subscriptions=0,
    queue_bytes=0,
    readers_behind=0,
    commands_waiting=0,
    open_orders=0,
)
EVERY_S = 5.0


def samples(minutes: int, kib_per_min: float, *, first_kib: float = 0.0) -> list[Sample]:
    """Of a run whose memory grows steadily; at first it grows by `first_kib`, once."""
    count = round(minutes * 60 / EVERY_S) + 1
    busy = replace(REST, connections=40, subscriptions=90)
    return [
        Sample(
            at_s=number * EVERY_S,
            # What the allocator does by the way: up and down, and back.
            rss_kib=round(
                60_000
                + min(number / 20, 1.0) * first_kib
                + number * EVERY_S / 60 * kib_per_min
                + 300 * (number % 3)
            ),
            seq=number,
            held=busy,
        )
        for number in range(count)
    ]


def grown(of: list[Sample], named_orders: int = 0) -> tuple[str, ...]:
    return judge(of, REST, REST, named_orders=named_orders, instruments=2).grown


def test_memory_that_stays_is_no_growth() -> None:
    verdict = judge(samples(10, 0), REST, REST, named_orders=0, instruments=2)
    assert verdict.grown == ()
    assert verdict.left == ()
    assert abs(verdict.rss_kib_per_min) < 50


def test_memory_that_grows_with_every_client_is_told() -> None:
    assert "memory grew: RSS +500." in grown(samples(20, 500))[0]


def test_what_fills_up_at_the_beginning_is_no_growth() -> None:
    assert grown(samples(10, 0, first_kib=50_000)) == ()


def test_what_is_remembered_for_ever_may_grow_and_no_more_than_that() -> None:
    orders_per_min = 10_000
    expected = orders_per_min * NAMED_ORDER_KIB
    assert grown(samples(60, expected), named_orders=60 * orders_per_min) == ()
    assert grown(samples(60, expected)) != ()
    assert grown(samples(60, expected + 100), named_orders=60 * orders_per_min) != ()


def test_the_longer_a_run_the_smaller_the_growth_that_it_sees() -> None:
    small = 2 * MINUTE_KIB + 90
    assert grown(samples(10, small)) == ()
    assert grown(samples(60, small)) != ()


@pytest.mark.parametrize("name", [field.name for field in fields(Held)])
def test_what_is_left_of_clients_who_have_gone_is_told(name: str) -> None:
    end = replace(REST, **{name: getattr(REST, name) + 1})
    verdict = judge(samples(2, 0), REST, end, named_orders=0, instruments=2)
    assert len(verdict.left) == 1
    assert verdict.left[0].startswith(f"{name.replace('_', ' ')}: ")


def test_the_slope_is_that_of_the_closest_line() -> None:
    assert slope_of([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope_of([(0, 0), (1, 3), (2, 0), (3, 3)]) == pytest.approx(0.6)
