"""What one push of a book costs: 50 + 50 levels and 20 trades, of which 1, 10 or 100 levels changed since the
push before, and at every fourth push there was a trade; ours beside msgspec, orjson and json.

Ours twice each: from the view as projections give it, and from the book's changes, grouping included. A
change of `mode: delta` includes comparing and the checksum. All that tell the whole book give the same bytes.
CPU time, interleaved rounds, medians.

    python -m benchmarks.bench_book
"""

import json
import random
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time

import msgspec
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.running import machine
from jayx_stream.engine import is_compiled
from jayx_stream.model.events import Traded
from jayx_stream.model.order import Side
from jayx_stream.model.views import Level, Orderbook, PublicTrade
from jayx_stream.projections.orderbook import SymbolBook
from jayx_stream.projections.trades import SymbolTrades
from jayx_stream.wire.channels import OrderbookChannel
from jayx_stream.wire.delta import book_changes, book_checksum
from jayx_stream.wire.messages import BookPayload, OrderbookPush, encode, encode_payload
from jayx_stream.wire.payloads import Payloads

DEPTH = 50
TRADES = 20
PRICES = 400
"""Of each half: four times as many as are told."""

BEST = 5_000_000
CHANGED = (1, 10, 100)
PUSHES = 200
"""In a round."""

ROUNDS = 18
WHOLE, DELTA = "ours, whole", "ours, change of mode delta"
CHANNEL = OrderbookChannel("BTCUSDT", 1, DEPTH)

Row = tuple[int, int, int]
"""Of a level, as a book may have it that keeps no structs: ticks, lots, orders."""

Change = tuple[Side, int, int]
"""Side, ticks and lots of one order more."""

Views = Sequence[Orderbook]


class Market:
    """A book and its trades."""

    def __init__(self) -> None:
        chance = random.Random(1)
        self.book, self.trades = SymbolBook(), SymbolTrades()
        for side, ticks in prices(PRICES):
            self.book.half(side).add(ticks, chance.randint(1, 10**6))
        for _ in range(TRADES):
            self.trade()

    def trade(self) -> None:
        """One more."""
        id = self.trades.last_id + 1
        event = Traded(id, "BTCUSDT", Side.BUY, id * 1000, BEST, 1, 2, 3, 4)
        self.trades.add(event, (1_795_000_000_000 + id) * 1_000_000)

    def change(self, push: int, changes: Sequence[Change]) -> None:
        """What happens before a push."""
        for side, ticks, lots in changes:
            self.book.half(side).add(ticks, lots)
        if push % 4 == 0:
            self.trade()

    def view(self) -> Orderbook:
        """What projections give."""
        asks, bids = self.book.asks.levels(1, DEPTH), self.book.bids.levels(1, DEPTH)
        return Orderbook(asks, bids, self.trades.last(TRADES), self.trades.last_id)


def prices(count: int) -> list[tuple[Side, int]]:
    """The best so many of each half."""
    bids = [(Side.BUY, BEST - 1 - age) for age in range(count)]
    return bids + [(Side.SELL, BEST + age) for age in range(count)]


def to_change(changed: int) -> list[list[Change]]:
    """Before each push: one order more at so many of the prices that are told."""
    chance = random.Random(changed)
    return [
        [(*price, chance.randint(1, 99)) for price in chance.sample(prices(DEPTH), changed)]
        for _ in range(PUSHES)
    ]


# Each of these tells all views, and gives the texts.


def whole(views: Views) -> list[bytes]:
    payloads = Payloads()
    return [payloads.encode(CHANNEL, view, {}) for view in views]


def delta(views: Views) -> list[bytes]:
    told, before = [], views[0]
    for view in views:
        book_checksum(view)
        changed = book_changes(before, view)
        told.append(encode(OrderbookPush(BookPayload(changed.asks, changed.bids), changed.trades)))
        before = view
    return told


def structs_kept(views: Views) -> list[bytes]:
    return [encode_payload(view, {}) for view in views]


Rows = Sequence[tuple[list[Row], list[Row], Sequence[PublicTrade]]]


def structs_built(rows: Rows) -> list[bytes]:
    told = []
    for asks, bids, trades in rows:
        book = BookPayload(
            tuple([Level(*each) for each in asks]), tuple([Level(*each) for each in bids])
        )
        told.append(encode(OrderbookPush(book, tuple(trades))))
    return told


def as_dicts(asks: list[Row], bids: list[Row], trades: Sequence[PublicTrade]) -> object:
    """Of the book's own numbers, each time."""
    sides = [
        [{"ticks": ticks, "lots": lots, "count": count} for ticks, lots, count in half]
        for half in (asks, bids)
    ]
    told = [
        {"lots": each.lots, "ticks": each.ticks, "side": each.side.value, "created": each.created}
        for each in trades
    ]
    return {"orderBook": {"asks": sides[0], "bids": sides[1]}, "trades": told}


def orjson_dicts(rows: Rows) -> list[bytes]:
    return [orjson.dumps(as_dicts(*each)) for each in rows]


def json_dicts(rows: Rows) -> list[bytes]:
    return [json.dumps(as_dicts(*each), separators=(",", ":")).encode() for each in rows]


def took_us(tell: Callable[[], object]) -> float:
    """Per push."""
    began_s = process_time()
    tell()
    return (process_time() - began_s) / PUSHES * 1e6


def round_us(changes: list[list[Change]], turn: int) -> dict[str, float]:
    """One round of all, in another order each `turn`; the texts are compared."""
    asked, unasked = Market(), Market()
    asked.view()

    def follow() -> list[Orderbook]:
        views = []
        for push, each in enumerate(changes):
            asked.change(push, each)
            views.append(asked.view())
        return views

    def change() -> None:
        for push, each in enumerate(changes):
            unasked.change(push, each)

    views: list[Orderbook] = []
    view_us = took_us(lambda: views.extend(follow())) - took_us(change)
    rows = [
        (
            [msgspec.structs.astuple(level) for level in view.asks],
            [msgspec.structs.astuple(level) for level in view.bids],
            view.trades,
        )
        for view in views
    ]
    assert whole(views) == structs_kept(views) == structs_built(rows)
    assert whole(views) == orjson_dicts(rows) == json_dicts(rows)
    tells: dict[str, Callable[[], object]] = {
        WHOLE: lambda: whole(views),
        DELTA: lambda: delta(views),
        "msgspec, Structs kept": lambda: structs_kept(views),
        "msgspec, Structs built each time": lambda: structs_built(rows),
        "orjson, dicts built each time": lambda: orjson_dicts(rows),
        "json, dicts built each time": lambda: json_dicts(rows),
    }
    names = list(tells)
    # Who comes first finds the levels far from the processor: that is another one in each round.
    took = {name: took_us(tells[name]) for name in names[turn:] + names[:turn]}
    grouped = {name: view_us + took[name] for name in (WHOLE, DELTA)}
    return {
        WHOLE: took[WHOLE],
        f"{WHOLE}, grouping included": grouped[WHOLE],
        DELTA: took[DELTA],
        f"{DELTA}, grouping included": grouped[DELTA],
        **{name: took[name] for name in names[2:]},
    }


def main() -> None:
    """Measure and print."""
    if sys.argv[1:]:
        sys.exit(f"bench_book takes no arguments, not {' '.join(sys.argv[1:])}")
    rounds: dict[int, list[dict[str, float]]] = {changed: [] for changed in CHANGED}
    for turn in range(ROUNDS):
        for changed in CHANGED:
            rounds[changed].append(round_us(to_change(changed), turn % 6))
    table = Table(
        box=box.SIMPLE, title=f"µs of a book of {DEPTH} + {DEPTH} levels, {TRADES} trades"
    )
    table.add_column("levels changed since the last push")
    for changed in CHANGED:
        table.add_column(str(changed), justify="right")
        table.add_column("x ours", justify="right")
    for name in rounds[CHANGED[0]][0]:
        cells = []
        for changed in CHANGED:
            us = median(each[name] for each in rounds[changed])
            ratio = median(each[name] / next(iter(each.values())) for each in rounds[changed])
            cells += [f"{us:.1f}", f"{ratio:.2f}"]
        table.add_row(name, *cells)
    console = Console(width=120)
    console.print(
        f"{machine()};"
        f" msgspec {msgspec.__version__}, orjson {orjson.__version__};"
        f" {'compiled' if is_compiled() else 'plain Python'}"
    )
    console.print(table)


if __name__ == "__main__":
    main()
