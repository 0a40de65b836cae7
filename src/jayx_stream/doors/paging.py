"""Which part of the past a request asks for, read with errors that name the value."""

from jayx_stream.doors.query import Query
from jayx_stream.doors.routes import Parameter
from jayx_stream.model.past import PAGE_MAX, KlineRange, Page
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import COUNT_MAX, NS_PER_MS, NS_PER_S
from jayx_stream.wire.errors import ProtocolError

ROWS_DEFAULT = 100
"""Orders and fills, if no `limit` is given."""

LAST_MS = COUNT_MAX // NS_PER_MS - 1
LAST_S = COUNT_MAX // NS_PER_S


def rows(default: int) -> Parameter:
    """How many rows a page has."""
    about = "At most so many rows."
    return Parameter(name="limit", about=about, least=1, most=PAGE_MAX, default=default)


BEFORE = Parameter(name="before", about="Rows with a smaller number than this.", most=COUNT_MAX)
AFTER = Parameter(
    name="after",
    about="Rows with a greater number than this, and of them those next to it.",
    most=COUNT_MAX,
)
FROM_MS = Parameter(
    name="from", about="Rows of this time or later, milliseconds since the epoch.", most=LAST_MS
)
TO_MS = Parameter(
    name="to", about="Rows of this time or earlier, milliseconds since the epoch.", most=LAST_MS
)
FROM_S = Parameter(
    name="from", about="Klines that start then or later, seconds since the epoch.", most=LAST_S
)
TO_S = Parameter(
    name="to", about="Klines that start then or earlier, seconds since the epoch.", most=LAST_S
)

PAGE_BY_TIME = (rows(ROWS_DEFAULT), BEFORE, AFTER, FROM_MS, TO_MS)
"""What `read_page` reads of a trader's own orders and fills."""


def is_paged(query: Query) -> bool:
    """Whether anything but the newest is asked for."""
    return any(query.get(each.name) is not None for each in (BEFORE, AFTER))


def read_page(query: Query, default: int, *, by_time: bool) -> Page:
    """`limit`, `before` and `after`, and with `by_time` `from` and `to` in milliseconds."""
    from_ms, to_ms = _span(query, FROM_MS, TO_MS) if by_time else (None, None)
    limit = query.number(rows(default))
    return Page(limit, query.bound(BEFORE), query.bound(AFTER), from_ms, to_ms)


def read_range(query: Query, symbol: str, interval_s: int, limit: int) -> KlineRange | None:
    """`from` and `to` in seconds; None if neither is there."""
    from_s, to_s = _span(query, FROM_S, TO_S)
    if from_s is None and to_s is None:
        return None
    last_s = LAST_S if to_s is None else to_s
    return KlineRange(symbol, interval_s, from_s, last_s, limit, newest=from_s is None)


def _span(query: Query, first: Parameter, last: Parameter) -> tuple[int | None, int | None]:
    begin, end = query.bound(first), query.bound(last)
    if begin is not None and end is not None and begin > end:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"from {begin} is later than to {end}")
    return begin, end
