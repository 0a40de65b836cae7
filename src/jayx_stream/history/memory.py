"""A history that ends with the process: for tests, and for venues that may forget."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from jayx_stream.history import CHANGES_KEPT
from jayx_stream.history.klines import bounds_s, with_flat_ones
from jayx_stream.model.order import OrderView
from jayx_stream.model.past import AccountChange, Fill, KlineRange, Page, Rows, Trade
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import Kline

Row = TypeVar("Row")


class MemoryHistory:
    """See `History`. Plain lists, oldest first."""

    def __init__(self, changes_kept: int = CHANGES_KEPT) -> None:
        """`changes_kept`: commits whose changes are kept; 0 for all."""
        self._changes_kept = changes_kept
        self._last_seq = 0
        self._klines: dict[tuple[str, int], list[Kline]] = {}
        self._trades: list[Trade] = []
        self._orders: dict[int, OrderView] = {}
        self._changes: dict[str, list[AccountChange]] = {}

    @property
    def last_seq(self) -> int:
        """See `History`."""
        return self._last_seq

    def append(self, rows: Rows) -> None:
        """See `History`."""
        if rows.seq <= self._last_seq:
            return
        assert rows.seq == self._last_seq + 1, f"rows of {rows.seq} after {self._last_seq}"
        self._last_seq = rows.seq
        for kline in rows.klines:
            self._klines.setdefault((kline.symbol, kline.interval_s), []).append(kline)
        self._trades += rows.trades
        for change in rows.changes:
            self._changes.setdefault(change.account, []).append(change)
            for order in change.orders:
                if not order.remaining_lots:
                    self._orders[order.order_id] = order

    async def room(self) -> None:
        """See `History`."""

    async def flush(self) -> None:
        """See `History`."""

    async def klines(self, wanted: KlineRange) -> list[Kline]:
        """See `History`."""
        klines = self._klines.get((wanted.symbol, wanted.interval_s), [])
        if not klines:
            return []
        start_s, end_s = bounds_s(wanted, klines[0].created_s)
        before = [each for each in klines if each.created_s <= start_s][-1:]
        within = [each for each in klines if start_s < each.created_s <= end_s]
        return with_flat_ones([*before, *within], start_s, end_s)

    async def order(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """See `History`."""
        for order in self._orders.values():
            name = order.order_id if client_order_id is None else order.client_order_id
            if order.account == account and name == (client_order_id or order_id):
                return order
        return None

    async def orders(self, account: str, symbols: Sequence[str], page: Page) -> list[OrderView]:
        """See `History`."""
        own = [
            self._orders[order_id]
            for order_id in sorted(self._orders)
            if self._orders[order_id].account == account
            and self._orders[order_id].symbol in symbols
        ]
        return _paged(own, page, lambda order: (order.order_id, order.created_ns))

    async def fills(self, account: str, symbols: Sequence[str], page: Page) -> list[Fill]:
        """See `History`."""
        own = [
            trade.fill(number, is_maker=account == trade.maker)
            for number, trade in enumerate(self._trades, start=1)
            if account in (trade.maker, trade.taker) and trade.symbol in symbols
        ]
        return _paged(own, page, lambda fill: (fill.number, fill.time_ns))

    async def trades(self, symbol: str, page: Page) -> list[Trade]:
        """See `History`."""
        of_symbol = [trade for trade in self._trades if trade.symbol == symbol]
        return _paged(of_symbol, page, lambda trade: (trade.trade_id, trade.time_ns))

    async def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        """See `History`."""
        if 0 < self._changes_kept < self._last_seq - after_seq:
            return None
        changes = (each for each in self._changes.get(account, []) if each.seq > after_seq)
        return list(islice(changes, limit))

    async def close(self) -> None:
        """See `History`."""


def _paged(rows: Iterable[Row], page: Page, key: Callable[[Row], tuple[int, int]]) -> list[Row]:
    """`rows` are oldest first; `key` gives a row's id and time."""
    wanted = []
    for row in rows:
        row_id, time_ns = key(row)
        time_ms = time_ns // NS_PER_MS
        if (
            (page.before is None or row_id < page.before)
            and (page.after is None or row_id > page.after)
            and (page.from_ms is None or time_ms >= page.from_ms)
            and (page.to_ms is None or time_ms <= page.to_ms)
        ):
            wanted.append(row)
    wanted = wanted[-page.limit :] if page.after is None else wanted[: page.limit]
    return wanted[::-1]
