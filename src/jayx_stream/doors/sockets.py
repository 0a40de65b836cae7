"""Writing to very many sockets at once, past their transports.

Rule: only where the transport of the same socket holds nothing that was to be written before, and has not
been lost: then nothing overtakes anything, and no descriptor is another connection's by now.
"""

import os


def write_many(descriptors: list[int], frames: list[bytes]) -> list[int]:
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
    return written
