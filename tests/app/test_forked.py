"""Work in a forked child: on a frozen copy, with nothing of the parent's in its hands."""

import os
import signal
import time
from pathlib import Path

import pytest

from jayx_stream.app.forked import ChildError, fork


def test_the_child_sees_memory_as_it_was_at_the_fork(tmp_path: Path) -> None:
    seen = ["before"]

    def work() -> None:
        time.sleep(0.05)
        (tmp_path / "seen").write_text(" ".join(seen))

    child = fork(work)
    seen.append("after")
    child.wait(10)
    assert (tmp_path / "seen").read_text() == "before"


def test_what_the_child_complains_of_is_told() -> None:
    def work() -> None:
        raise ValueError("no room")

    with pytest.raises(ChildError, match="ValueError: no room"):
        fork(work).wait(10)


def test_a_child_that_hangs_is_killed() -> None:
    child = fork(lambda: time.sleep(60))
    with pytest.raises(ChildError, match="not done after 0 s"):
        child.wait(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_a_child_that_dies_is_told() -> None:
    child = fork(lambda: time.sleep(60))
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildError, match="ended with -9"):
        child.wait(10)


def test_the_child_hears_no_signal_and_holds_no_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def work() -> None:
        for fd in (reading, writing):
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)
        os.write(1, b"nobody reads this")
        time.sleep(0.2)

    child = fork(work)
    os.kill(child.pid, signal.SIGTERM)
    os.kill(child.pid, signal.SIGINT)
    os.close(writing)
    assert os.read(reading, 1) == b""
    child.wait(10)
    os.close(reading)


def test_signals_reach_the_parent_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    fork(lambda: None).wait(10)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
