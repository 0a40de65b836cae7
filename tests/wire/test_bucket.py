"""What is left of a rate (protocol §10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.wire.limits import Allowance, TokenBucket

RATES = st.integers(1, 1000)
TIMES = st.lists(st.floats(0, 5), min_size=1, max_size=30)


def emptied(per_s: int, burst: int, now_s: float) -> TokenBucket:
    bucket = TokenBucket(per_s, burst)
    while bucket.take(now_s):
        pass
    return bucket


def test_an_allowance_tells_what_headers_tell() -> None:
    bucket = TokenBucket(2, 10)
    assert bucket.allowance(7.0) == Allowance(10, 10, 0, 0)
    bucket.take(7.0)
    assert bucket.allowance(7.0) == Allowance(10, 9, 1, 0)
    for _ in range(9):
        bucket.take(7.0)
    assert bucket.allowance(7.0) == Allowance(10, 0, 5, 1)
    assert bucket.allowance(9.25) == Allowance(10, 4, 3, 0)
    assert bucket.allowance(12.0) == Allowance(10, 10, 0, 0)


def test_without_a_limit_there_is_nothing_to_tell() -> None:
    bucket = TokenBucket(0, 10)
    assert bucket.allowance(7.0) is None
    assert bucket.wait_s(7.0) == 0


@pytest.mark.parametrize("burst", [0, 1])
def test_a_bucket_of_one_is_full_again_when_there_is_one(burst: int) -> None:
    bucket = emptied(1, burst, 3.0)
    assert bucket.allowance(3.25) == Allowance(1, 0, 1, 1)
    assert bucket.wait_s(3.25) == 0.75


@given(per_s=RATES, burst=RATES, waits_s=TIMES)
def test_what_is_left_can_be_taken_and_no_more(
    per_s: int, burst: int, waits_s: list[float]
) -> None:
    now_s, bucket = 100.0, TokenBucket(per_s, burst)
    for wait_s in waits_s:
        now_s += wait_s
        left = bucket.left(now_s)
        assert bucket.left(now_s) == left, "looking takes nothing"
        assert 0 <= left <= burst
        assert [bucket.take(now_s) for _ in range(left + 1)] == [True] * left + [False]


@given(per_s=RATES, burst=RATES, now_s=st.floats(1, 1e6), wanted=RATES)
def test_after_the_wait_there_are_as_many_as_were_wanted(
    per_s: int, burst: int, now_s: float, wanted: int
) -> None:
    bucket = emptied(per_s, burst, now_s)
    wait_s = bucket.wait_s(now_s, wanted)
    # A microsecond: times are floats.
    assert bucket.left(now_s + wait_s + 1e-6) >= min(wanted, burst)
    assert bucket.left(now_s + wait_s * 0.999 - 1e-6) < min(wanted, burst)
