"""What history is given of a crowd that trades, and what it should say then."""

from collections.abc import Iterable
from random import Random

from jayx_stream.history import History
from jayx_stream.model.order import OrderView
from jayx_stream.model.past import Page, Rows
from jayx_stream.model.views import Kline
from jayx_stream.projections import Projections, rows_of
from tests.projections.following import journal

COUNT = 900


class Crowd:
    """Its rows, and every kline that closed, also those that nobody traded in."""

    def __init__(self, seed: int, count: int = COUNT) -> None:
        self.projections = Projections()
        self.rows: list[Rows] = []
        self.klines: dict[tuple[str, int], list[Kline]] = {}
        for commit in journal(seed, count):
            changes = self.projections.apply(commit)
            self.rows.append(rows_of(changes, self.projections))
            for series, turn in changes.turns.items():
                self.klines.setdefault(series, []).extend((turn.closed, *turn.opened[:-1]))
        self.trades = [trade for rows in self.rows for trade in rows.trades]
        self.changes = [change for rows in self.rows for change in rows.changes]
        closed = {
            order.order_id: order
            for change in self.changes
            for order in change.orders
            if not order.remaining_lots
        }
        self.orders = [closed[order_id] for order_id in sorted(closed)]
        self.symbols = list(self.projections.instruments)
        self.accounts = sorted({change.account for change in self.changes})

    def give(self, history: History, rows: Iterable[Rows] | None = None) -> None:
        for each in self.rows if rows is None else rows:
            history.append(each)

    def last_fill_ns(self, order: OrderView) -> int:
        """When the order was last traded with; it was."""
        return max(
            trade.time_ns
            for trade in self.trades
            if order.order_id in (trade.maker_order_id, trade.taker_order_id)
        )

    def fills(self, account: str, symbols: list[str]) -> list[tuple[int, int]]:
        """Number and time of each trade that the account has part in, oldest first."""
        return [
            (number, trade.time_ns // 1_000_000)
            for number, trade in enumerate(self.trades, start=1)
            if account in (trade.maker, trade.taker) and trade.symbol in symbols
        ]


def some_page(random: Random, ids_max: int, ms_max: int) -> Page:
    """Any page."""

    def maybe(most: int) -> int | None:
        return random.randint(0, most) if random.random() < 0.5 else None

    return Page(
        random.choice((1, 2, 7, 1000)),
        maybe(ids_max),
        maybe(ids_max),
        *((maybe(ms_max), maybe(ms_max)) if ms_max else (None, None)),
    )


def paged(rows: list[tuple[int, int]], page: Page) -> list[int]:
    """The ids that a page holds, of rows of id and time."""
    ids = [
        row_id
        for row_id, time_ms in rows
        if (page.before is None or row_id < page.before)
        and (page.after is None or row_id > page.after)
        and (page.from_ms is None or time_ms >= page.from_ms)
        and (page.to_ms is None or time_ms <= page.to_ms)
    ]
    ids = ids[: page.limit] if page.after is not None else ids[-page.limit :]
    return ids[::-1]
