"""A book told by its changes (protocol §5, `mode: delta`): what changed, and how its reader can check it.

Rule: a reader that held the state before, and takes the change in, holds the state after, exactly.
"""

from collections.abc import Callable
from functools import lru_cache
from zlib import crc32

from jayx_stream.model.views import Level, Orderbook
from jayx_stream.wire.messages import BookPayload, OrderbookPush, encode
from jayx_stream.wire.push import Push

CHECKED_LEVELS = 10
"""Of each half, in a checksum."""

_BARS = bytes.maketrans(b",", b"|")


def change(before: Push, after: Push, newest: Callable[[], Push]) -> Push | None:
    """What a reader of one whole state is told of the next, or None if it is the same. `newest`: what
    it gets in place of this if it is slow.
    """
    assert before.state is not None, f"{before.stream} is not told by changes"
    assert after.state is not None, f"{after.stream} is not told by changes"
    if before.state == after.state:
        return None
    changed = book_changes(before.state, after.state)
    return Push(
        after.event,
        after.stream,
        after.seq,
        after.ts_ms,
        encode(OrderbookPush(BookPayload(changed.asks, changed.bids), changed.trades)),
        merge_key=after.merge_key,
        trade=after.trade,
        checksum=after.checksum,
        prev=before.seq,
        whole=newest,
    )


def book_changes(before: Orderbook, after: Orderbook) -> Orderbook:
    """The levels of `after` that are not in `before`; those that are gone, with 0 lots of 0 orders;
    and the trades that are new. In the order of a whole book. A half that is the same tuple costs nothing.
    """
    new_trades = min(after.trade_id - before.trade_id, len(after.trades))
    return Orderbook(
        asks=_changed(before.asks, after.asks, 1),
        bids=_changed(before.bids, after.bids, -1),
        trades=after.trades[:new_trades],
        trade_id=after.trade_id,
    )


def book_checksum(book: Orderbook) -> int:
    """CRC-32 (IEEE) of `ticks:lots|ticks:lots…`, the best 10 bids and then the best 10 asks."""
    halves = _checked(book.bids[:CHECKED_LEVELS]), _checked(book.asks[:CHECKED_LEVELS])
    return crc32(b"|".join(half for half in halves if half))


@lru_cache(maxsize=256)
def _checked(best: tuple[Level, ...]) -> bytes:
    # As a JSON object of numbers by numbers it has its colons already.
    return encode({level.ticks: level.lots for level in best}).translate(_BARS, b'{}"')


def _changed(before: tuple[Level, ...], after: tuple[Level, ...], sign: int) -> tuple[Level, ...]:
    """Of one half, whose prices times `sign` ascend."""
    if after is before:
        return ()
    changed: list[Level] = []
    new_at = old_at = 0
    while new_at < len(after) and old_at < len(before):
        new, old = after[new_at], before[old_at]
        if new is old or new.ticks == old.ticks:
            if new is not old and new != old:
                changed.append(new)
            new_at += 1
            old_at += 1
        elif (new.ticks - old.ticks) * sign < 0:
            changed.append(new)
            new_at += 1
        else:
            changed.append(_gone(old))
            old_at += 1
    changed += after[new_at:]
    changed += map(_gone, before[old_at:])
    return tuple(changed)


def _gone(level: Level) -> Level:
    return Level(level.ticks, 0, 0)
