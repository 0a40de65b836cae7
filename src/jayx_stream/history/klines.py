"""The klines of a range, from those that were traded in: the flat ones between follow from these."""

from collections.abc import Iterable

from jayx_stream.model.past import KlineRange
from jayx_stream.model.views import Kline, bucket_start_s


def bounds_s(wanted: KlineRange, first_s: int) -> tuple[int, int]:
    """Starts of the first and the last kline to be given; `first_s` is that of the series' first.
    There is none if the last comes before the first.
    """
    interval_s = wanted.interval_s
    start_s = first_s
    if wanted.from_s is not None and wanted.from_s > first_s:
        start_s = bucket_start_s(wanted.from_s + interval_s - 1, interval_s)
    end_s = bucket_start_s(wanted.to_s, interval_s)
    span_s = (wanted.limit - 1) * interval_s
    if wanted.newest:
        return max(start_s, end_s - span_s), end_s
    return start_s, min(end_s, start_s + span_s)


def with_flat_ones(traded: Iterable[Kline], start_s: int, end_s: int) -> list[Kline]:
    """All klines that start from `start_s` to `end_s`, oldest first. `traded` are those that were
    traded in, oldest first, beginning with the last that starts at or before `start_s`.
    """
    klines: list[Kline] = []
    if end_s < start_s:
        return klines
    last: Kline | None = None
    for kline in traded:
        if last is not None:
            klines += _flat_after(last, start_s, kline.created_s - kline.interval_s)
        if kline.created_s >= start_s:
            klines.append(kline)
        last = kline
    if last is not None:
        klines += _flat_after(last, start_s, end_s)
    return klines


def _flat_after(kline: Kline, start_s: int, end_s: int) -> Iterable[Kline]:
    first_s = max(kline.created_s + kline.interval_s, start_s)
    close = kline.close_ticks
    for created_s in range(first_s, end_s + 1, kline.interval_s):
        yield Kline(
            kline.symbol, kline.interval_s, created_s, close, close, close, close, 0, created_s
        )
