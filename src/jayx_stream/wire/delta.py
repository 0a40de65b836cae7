"""A book told by its changes (protocol §5, `mode: delta`): what changed, and how its reader can check it.

Rule: a reader that held the state before, and takes the change in, holds the state after, exactly.
"""

from collections.abc import Callable
from itertools import chain
from zlib import crc32

from jayx_stream.model.views import Level, Orderbook
from jayx_stream.wire.messages import BookPayload, OrderbookPush, encode
from jayx_stream.wire.push import Push

CHECKED_LEVELS = 10
"""Of each half, in a checksum."""


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
    and the trades that are new. In the order of a whole book.
    """
    new_trades = min(after.trade_id - before.trade_id, len(after.trades))
    return Orderbook(
        asks=tuple(sorted(_changed(before.asks, after.asks), key=_ticks)),
        bids=tuple(sorted(_changed(before.bids, after.bids), key=_ticks, reverse=True)),
        trades=after.trades[:new_trades],
        trade_id=after.trade_id,
    )


def book_checksum(book: Orderbook) -> int:
    """CRC-32 (IEEE) of `ticks:lots|ticks:lots…`, the best 10 bids and then the best 10 asks."""
    best = chain(book.bids[:CHECKED_LEVELS], book.asks[:CHECKED_LEVELS])
    return crc32("|".join(f"{level.ticks}:{level.lots}" for level in best).encode())


def _changed(before: tuple[Level, ...], after: tuple[Level, ...]) -> list[Level]:
    held = {level.ticks: level for level in before}
    changed = [level for level in after if held.pop(level.ticks, None) != level]
    changed += [Level(ticks, 0, 0) for ticks in held]
    return changed


def _ticks(level: Level) -> int:
    return level.ticks
