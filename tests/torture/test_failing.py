"""A disk that fails costs nothing that was acknowledged; see `failing` and `syscalls`."""

import os

import pytest

from tests.torture import FULL, failing, syscalls


def test_a_failing_disk_stops_the_journal_and_nothing_is_lost() -> None:
    report = failing.campaign(full=FULL)
    report.check()
    assert report.tried > 30


@pytest.mark.parametrize(("calls", "what"), syscalls.KINDS)
def test_a_kill_or_an_error_at_any_call_loses_nothing(calls: str, what: str) -> None:
    if not syscalls.STRACE:
        assert os.environ.get("CI") != "true", "strace is missing; .ci/run installs it"
        pytest.skip("strace is not installed (apt-get install strace)")
    report = syscalls.campaign(calls, what, full=FULL)
    report.check()
    assert report.tried > 4
