"""The tables of history in SQLite, and every statement about them. Used in one thread.

Trades are numbered through all symbols in the order of the journal, orders by their id: both grow
with time, so a time is found by halving. Bodies are MessagePack; whatever is searched is a column.
"""

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import apsw
from msgspec.msgpack import Decoder, Encoder

from jayx_stream.history.klines import bounds_s, with_flat_ones
from jayx_stream.model.order import OrderView, Side
from jayx_stream.model.past import AccountChange, Fill, KlineRange, Page, Rows, Trade
from jayx_stream.model.units import COUNT_MAX, NS_PER_MS
from jayx_stream.model.views import Kline, Position

FORMAT = 1
"""Number of the tables' form; another one is made again from the journal."""

PRUNE_COMMITS = 10_000
"""Commits between two looks for changes that need not be kept any more."""

ROWS_A_STATEMENT = 200

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE symbols (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE klines (
    symbol INTEGER, interval_s INTEGER, created_s INTEGER,
    open INTEGER, high INTEGER, low INTEGER, close INTEGER, lots INTEGER, modified_s INTEGER,
    PRIMARY KEY (symbol, interval_s, created_s)
) WITHOUT ROWID;
CREATE TABLE trades (
    id INTEGER PRIMARY KEY,
    symbol INTEGER, trade_id INTEGER, side TEXT, lots INTEGER, ticks INTEGER,
    time_ns INTEGER, seq INTEGER, maker_order_id INTEGER, taker_order_id INTEGER,
    maker INTEGER, taker INTEGER, maker_fee_units INTEGER, taker_fee_units INTEGER
);
CREATE UNIQUE INDEX trades_by_id ON trades (symbol, trade_id);
CREATE INDEX trades_by_maker ON trades (maker, symbol);
CREATE INDEX trades_by_taker ON trades (taker, symbol);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    account INTEGER, symbol INTEGER, time_ns INTEGER, client_order_id TEXT, body BLOB
);
CREATE INDEX orders_by_account ON orders (account, symbol);
CREATE INDEX orders_by_name ON orders (account, client_order_id) WHERE client_order_id IS NOT NULL;
CREATE TABLE changes (
    account INTEGER, seq INTEGER, orders BLOB, positions BLOB,
    PRIMARY KEY (account, seq)
) WITHOUT ROWID;
"""

_encode = Encoder().encode
_decode_order = Decoder(OrderView).decode
_decode_orders = Decoder(tuple[OrderView, ...]).decode
_decode_positions = Decoder(tuple[Position, ...]).decode


class Names:
    """A table of names and their short numbers, held in memory too."""

    def __init__(self, connection: apsw.Connection, table: str) -> None:
        self._connection = connection
        self._insert = f"INSERT INTO {table} VALUES (?, ?)"  # noqa: S608 (a word of ours)
        rows = connection.execute(f"SELECT name, id FROM {table}")  # noqa: S608 (a word of ours)
        self.ids: dict[str, int] = dict(rows)
        self.names = {number: name for name, number in self.ids.items()}

    def id(self, name: str) -> int:
        """The name's number; a new one is written."""
        number = self.ids.get(name)
        if number is None:
            number = self.ids[name] = len(self.ids) + 1
            self.names[number] = name
            self._connection.execute(self._insert, (number, name))
        return number


class Tables:
    """All of history in one connection."""

    def __init__(self, connection: apsw.Connection, changes_kept: int) -> None:
        self._connection = connection
        self._changes_kept = changes_kept
        self._accounts = Names(connection, "accounts")
        self._symbols = Names(connection, "symbols")
        meta: Mapping[str, str] = dict(connection.execute("SELECT name, value FROM meta"))
        self.epoch = meta["epoch"]
        self.last_seq = int(meta["last_seq"])
        self._changes_after = int(meta["changes_after"])
        """Of later commits all changes are there."""
        self._last_trade: int = connection.execute("SELECT max(id) FROM trades").get or 0

    def write(self, batch: Sequence[Rows]) -> None:
        """Write rows of commits that follow, and how far they go, in one transaction."""
        with self._transaction():
            self._insert("klines", self._kline_rows(batch))
            self._insert("trades", self._trade_rows(batch))
            self._insert("orders", self._order_rows(batch))
            self._insert("changes", self._change_rows(batch))
            self._set("last_seq", batch[-1].seq)
            self.last_seq = batch[-1].seq
            if self._changes_kept:
                self._prune(self.last_seq - self._changes_kept)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction whose end nobody else waits for: apsw's own one holds the interpreter's lock while
        it writes to the disk.
        """
        execute = self._connection.execute
        execute("BEGIN")
        try:
            yield
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _insert(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        """Insert many rows a statement: with each one the thread takes the interpreter's lock from whoever
        is telling readers what happens now.
        """
        while some := list(islice(rows, ROWS_A_STATEMENT)):
            row = f"({','.join('?' * len(some[0]))})"
            sql = f"INSERT INTO {table} VALUES {','.join([row] * len(some))}"  # noqa: S608 (our words)
            self._connection.execute(sql, tuple(chain.from_iterable(some)))

    def _prune(self, to_seq: int) -> None:
        if to_seq < self._changes_after + PRUNE_COMMITS:
            return
        for account in self._accounts.ids.values():
            self._connection.execute(
                "DELETE FROM changes WHERE account = ? AND seq <= ?", (account, to_seq)
            )
        self._set("changes_after", to_seq)
        self._changes_after = to_seq

    def _set(self, name: str, value: int) -> None:
        self._connection.execute("UPDATE meta SET value = ? WHERE name = ?", (str(value), name))

    def _kline_rows(self, batch: Iterable[Rows]) -> Iterator[tuple[Any, ...]]:
        for rows in batch:
            for kline in rows.klines:
                yield (
                    self._symbols.id(kline.symbol),
                    kline.interval_s,
                    kline.created_s,
                    kline.open_ticks,
                    kline.high_ticks,
                    kline.low_ticks,
                    kline.close_ticks,
                    kline.lots,
                    kline.modified_s,
                )

    def _trade_rows(self, batch: Iterable[Rows]) -> Iterator[tuple[Any, ...]]:
        for rows in batch:
            for trade in rows.trades:
                self._last_trade += 1
                yield (
                    self._last_trade,
                    self._symbols.id(trade.symbol),
                    trade.trade_id,
                    trade.side.value,
                    trade.lots,
                    trade.ticks,
                    trade.time_ns,
                    trade.seq,
                    trade.maker_order_id,
                    trade.taker_order_id,
                    self._accounts.id(trade.maker),
                    self._accounts.id(trade.taker),
                    trade.maker_fee_units,
                    trade.taker_fee_units,
                )

    def _order_rows(self, batch: Iterable[Rows]) -> Iterator[tuple[Any, ...]]:
        for rows in batch:
            for change in rows.changes:
                for order in change.orders:
                    if not order.remaining_lots:
                        yield (
                            order.order_id,
                            self._accounts.id(order.account),
                            self._symbols.id(order.symbol),
                            order.created_ns,
                            order.client_order_id,
                            _encode(order),
                        )

    def _change_rows(self, batch: Iterable[Rows]) -> Iterator[tuple[Any, ...]]:
        for rows in batch:
            for change in rows.changes:
                yield (
                    self._accounts.id(change.account),
                    change.seq,
                    _encode(change.orders) if change.orders else None,
                    None if change.positions is None else _encode(change.positions),
                )

    def klines(self, wanted: KlineRange) -> list[Kline]:
        """See `History`."""
        series = (self._symbols.ids.get(wanted.symbol), wanted.interval_s)
        where = "FROM klines WHERE symbol = ? AND interval_s = ?"
        first_s = self._connection.execute(f"SELECT min(created_s) {where}", series).get
        if first_s is None:
            return []
        start_s, end_s = bounds_s(wanted, first_s)
        rows = self._connection.execute(
            f"SELECT created_s, open, high, low, close, lots, modified_s {where}"
            f" AND created_s BETWEEN (SELECT max(created_s) {where} AND created_s <= ?) AND ?"
            " ORDER BY created_s",
            (*series, *series, start_s, end_s),
        )
        traded = (Kline(wanted.symbol, wanted.interval_s, *row) for row in rows)
        return with_flat_ones(traded, start_s, end_s)

    def order(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """See `History`."""
        key = "id" if client_order_id is None else "client_order_id"
        found = self._connection.execute(
            f"SELECT body FROM orders WHERE account = ? AND {key} = ?",  # noqa: S608 (our words)
            (self._accounts.ids.get(account), client_order_id or order_id),
        ).fetchone()
        return None if found is None else _decode_order(found[0])

    def orders(self, account: str, symbols: Sequence[str], page: Page) -> list[OrderView]:
        """See `History`."""
        own = self._accounts.ids.get(account)
        select = "SELECT id, body FROM orders WHERE account = ? AND symbol = ?"
        keys = [(select, (own, symbol)) for symbol in self._known(symbols)]
        return [_decode_order(row[1]) for row in self._paged(keys, "orders", "id", page)]

    def fills(self, account: str, symbols: Sequence[str], page: Page) -> list[Fill]:
        """See `History`."""
        own = self._accounts.ids.get(account)
        keys = [
            (f"{_SELECT_TRADE} WHERE {role} = ? AND symbol = ?", (own, symbol))
            for symbol in self._known(symbols)
            for role in ("maker", "taker")
        ]
        rows = self._paged(keys, "trades", "id", page)
        return [self._trade(row).fill(row[0], is_maker=row[10] == own) for row in rows]

    def trades(self, symbol: str, page: Page) -> list[Trade]:
        """See `History`."""
        assert page.from_ms is page.to_ms is None, "trades of a symbol are paged by id"
        select = _SELECT_TRADE.replace("id,", "trade_id,", 1)
        keys = [(f"{select} WHERE symbol = ?", (each,)) for each in self._known([symbol])]
        return [self._trade(row) for row in self._paged(keys, "trades", "trade_id", page)]

    def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        """See `History`."""
        kept = self._changes_kept
        if after_seq < self._changes_after or 0 < kept < self.last_seq - after_seq:
            return None
        rows = self._connection.execute(
            "SELECT seq, orders, positions FROM changes WHERE account = ? AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (self._accounts.ids.get(account), after_seq, limit),
        )
        return [
            AccountChange(
                account,
                seq,
                () if orders is None else _decode_orders(orders),
                None if positions is None else _decode_positions(positions),
            )
            for seq, orders, positions in rows
        ]

    def _known(self, symbols: Iterable[str]) -> list[int]:
        return [self._symbols.ids[symbol] for symbol in symbols if symbol in self._symbols.ids]

    def _trade(self, row: tuple[Any, ...]) -> Trade:
        _, symbol, trade_id, side, lots, ticks, time_ns, seq, maker_order, taker_order = row[:10]
        maker, taker, maker_fee, taker_fee = row[10:]
        return Trade(
            self._symbols.names[symbol],
            trade_id,
            Side(side),
            lots,
            ticks,
            time_ns,
            seq,
            maker_order,
            taker_order,
            self._accounts.names[maker],
            self._accounts.names[taker],
            maker_fee,
            taker_fee,
        )

    def _paged(
        self, selects: Sequence[tuple[str, tuple[Any, ...]]], table: str, key: str, page: Page
    ) -> list[tuple[Any, ...]]:
        """The rows of several indexed questions as one list, none read further than needed."""
        first = 0 if page.after is None else page.after + 1
        last = COUNT_MAX if page.before is None else page.before - 1
        if page.from_ms is not None:
            first = max(first, self._id_at(table, page.from_ms * NS_PER_MS))
        if page.to_ms is not None:
            last = min(last, self._id_at(table, (page.to_ms + 1) * NS_PER_MS) - 1)
        newest = page.after is None
        tail = f" AND {key} BETWEEN ? AND ? ORDER BY {key} {'DESC' if newest else 'ASC'}"
        cursors = [
            self._connection.execute(select + tail, (*values, first, last))
            for select, values in selects
        ]
        merged = heapq.merge(*cursors, key=lambda row: row[0], reverse=newest)
        rows = list(islice(merged, page.limit))
        return rows if newest else rows[::-1]

    def _id_at(self, table: str, time_ns: int) -> int:
        """The least id whose row was made at `time_ns` or later, or one above all."""
        execute = self._connection.execute
        low, high = 0, (execute(f"SELECT max(id) FROM {table}").get or 0) + 1  # noqa: S608
        while low < high:
            middle = (low + high) // 2
            at = f"SELECT id, time_ns FROM {table} WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608
            found = execute(at, (middle,)).fetchone()
            if found is None or found[1] >= time_ns:
                high = middle
            else:
                low = found[0] + 1
        return low


_SELECT_TRADE = (
    "SELECT id, symbol, trade_id, side, lots, ticks, time_ns, seq, maker_order_id, taker_order_id,"
    " maker, taker, maker_fee_units, taker_fee_units FROM trades"
)
