"""Work on a frozen copy of this process: a forked child does it while the parent goes on.

Rule: the child touches nothing that the parent shares with it. It has no signals, no files but those
that it opens itself, no garbage collector, and ends by `os._exit`.
"""

import contextlib
import gc
import os
import select
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import NoReturn

_NICE = 10
"""What it does can wait for what the venue does."""

_FILES_MIN = 1024


class ChildError(Exception):
    """The child did not do its work; the message says why."""


@dataclass(frozen=True)
class Child:
    """A forked process, to be waited for once."""

    pid: int
    complaints: int
    """The end of a pipe that is closed when the child ends."""

    def wait(self, deadline_s: float) -> None:
        """Block until the work is done; kill the child if it takes longer. Raises ChildError."""
        text = self._read(monotonic() + deadline_s)
        os.close(self.complaints)
        if text is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        if text is None:
            raise ChildError(f"it was not done after {deadline_s:.0f} s, and was killed")
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise ChildError(text.decode(errors="replace") or f"it ended with {code}")

    def _read(self, until_s: float) -> bytes | None:
        """What it complains of until its end; None if that doesn't come in time."""
        poll = select.poll()
        poll.register(self.complaints, select.POLLIN)
        text = b""
        while poll.poll(max(0.0, until_s - monotonic()) * 1000):
            more = os.read(self.complaints, 4096)
            if not more:
                return text
            text += more
        return None


def fork(work: Callable[[], object]) -> Child:
    """Begin the work in a child, on all that this process has in memory now. Raises OSError."""
    complaints, to_parent = os.pipe()
    # A signal that reached the child before it is deaf would wake the parent's loop a second time.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            # Other threads are there, and the child needs none of their locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _work(work, to_parent)
    except OSError:
        os.close(complaints)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(to_parent)
    return Child(pid, complaints)


def _work(work: Callable[[], object], to_parent: int) -> NoReturn:
    code = 1
    try:
        gc.disable()
        _let_go_of_files(to_parent)
        os.nice(_NICE)
        work()
        code = 0
    except BaseException as error:
        os.write(to_parent, f"{type(error).__name__}: {error}".encode(errors="replace"))
    finally:
        os._exit(code)


def _let_go_of_files(kept: int) -> None:
    """Else a socket or a pipe of a parent that died would live on in the child."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - {kept}:
        os.dup2(nothing, standard)
    os.closerange(3, kept)
    os.closerange(max(3, kept + 1), max(_FILES_MIN, os.sysconf("SC_OPEN_MAX")))
