"""Writing to very many sockets at once, past their transports.

Rule: only where the transport of the same socket holds nothing that was to be written before, and has not
been lost: then nothing overtakes anything, and no descriptor is another connection's by now.
"""

import os
from typing import NamedTuple

from jayx_stream.hub.turn import WriteMany

try:
    from jayx_stream.doors._sending import Sender
except ImportError:  # It is in C, and was not compiled.
    Sender = None  # type: ignore[assignment, misc]


class Writes(NamedTuple):
    """A way to write to many sockets."""

    how: str
    """The system call: `io_uring`, `send` or `write`."""
    write_many: WriteMany
    """For one thread at a time."""


def fastest_writes(*, io_uring: bool = True) -> Writes:
    """The way that costs least of those there are here. Containers often forbid io_uring."""
    if Sender is None:
        return Writes("write", write_each)
    sender = Sender(ring=io_uring)
    return Writes("io_uring" if sender.has_ring else "send", sender.send_many)


def write_each(descriptors: list[int], frames: list[bytes]) -> list[tuple[int, int]]:
    """See `hub.turn.WriteMany`. A socket that has no room, or fails, takes nothing: its transport finds
    out by itself, with what is left.
    """
    written: list[int] = []
    writes = map(os.write, descriptors, frames)
    while len(written) < len(frames):
        try:
            written.extend(writes)
        except OSError:
            written.append(0)
    if written == list(map(len, frames)):
        return []
    return [
        (place, taken)
        for place, (taken, frame) in enumerate(zip(written, frames, strict=True))
        if taken < len(frame)
    ]
