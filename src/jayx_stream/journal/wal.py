"""What stands in SQLite's write-ahead log, read from the file itself.

SQLite drops everything from the first frame that isn't whole, and says nothing. A crash leaves parts of
one transaction there, the last; whole ones behind a bad frame are damage.
"""

from pathlib import Path
from struct import Struct

from jayx_stream.journal import JournalError

_HEAD = Struct(">IIIIIIII")
"""Magic, version, page size, round, two salts, two checksums."""
_FRAME = Struct(">IIIIII")
"""Page number, pages after the commit (0 within a transaction), two salts, two checksums."""
_BIG_ENDIAN = 1
"""In the magic: how words are read for checksums."""

Frames = list[bool | None]
"""Of each frame, whether it ends a transaction; None if it isn't of the log's present round."""


def frames(path: Path) -> Frames:
    """All frames, up to the last of the present round; the last may be cut. A head that isn't whole
    counts as one, and what is behind it is of the round before. Raises OSError.
    """
    found: Frames = []
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if not _is_whole(head):
                return [False] if head else []
            page_bytes, salts = _HEAD.unpack(head)[2], _HEAD.unpack(head)[4:6]
            while len(frame := file.read(_FRAME.size)) == _FRAME.size:
                _, pages, *rest = _FRAME.unpack(frame)
                found.append(pages > 0 if tuple(rest[:2]) == salts else None)
                file.seek(page_bytes, 1)
    except FileNotFoundError:
        return []
    while found and found[-1] is None:
        found.pop()
    return found


def _is_whole(head: bytes) -> bool:
    if len(head) < _HEAD.size:
        return False
    magic, *_, first_sum, second_sum = _HEAD.unpack(head)
    words = Struct(">6I" if magic & _BIG_ENDIAN else "<6I").unpack(head[:24])
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFF_FFFF
        second = (second + odd + first) & 0xFFFF_FFFF
    return (first, second) == (first_sum, second_sum)


def dropped(found: Frames, read: int) -> int:
    """How many frames at the end were not `read` by SQLite: of an append that a crash cut off.
    Raises JournalError if they hold a whole transaction and more, which no crash leaves.
    """
    rest = found[read:]
    if any(rest[:-1]):
        raise JournalError(
            f"frame {read + 1} of the write-ahead log is damaged, with whole commits behind it"
        )
    return len(rest)
