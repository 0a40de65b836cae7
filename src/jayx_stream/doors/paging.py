"""Which part of the past a request asks for, read with errors that name the value."""

from jayx_stream.doors.query import Query
from jayx_stream.model.past import PAGE_MAX, KlineRange, Page
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import COUNT_MAX, NS_PER_MS, NS_PER_S
from jayx_stream.wire.errors import ProtocolError

ROWS_DEFAULT = 100
"""Orders and fills, if no `limit` is given."""


def is_paged(query: Query) -> bool:
    """Whether anything but the newest is asked for."""
    return any(query.get(name) is not None for name in ("before", "after"))


def read_page(query: Query, default: int, *, by_time: bool) -> Page:
    """`limit`, `before` and `after`, and with `by_time` `from` and `to` in milliseconds."""
    from_ms, to_ms = _span(query, COUNT_MAX // NS_PER_MS - 1) if by_time else (None, None)
    return Page(
        query.integer("limit", default, 1, PAGE_MAX),
        query.bound("before", COUNT_MAX),
        query.bound("after", COUNT_MAX),
        from_ms,
        to_ms,
    )


def read_range(query: Query, symbol: str, interval_s: int, limit: int) -> KlineRange | None:
    """`from` and `to` in seconds; None if neither is there."""
    from_s, to_s = _span(query, COUNT_MAX // NS_PER_S)
    if from_s is None and to_s is None:
        return None
    last_s = COUNT_MAX // NS_PER_S if to_s is None else to_s
    return KlineRange(symbol, interval_s, from_s, last_s, limit, newest=from_s is None)


def _span(query: Query, most: int) -> tuple[int | None, int | None]:
    begin, end = query.bound("from", most), query.bound("to", most)
    if begin is not None and end is not None and begin > end:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"from {begin} is later than to {end}")
    return begin, end
