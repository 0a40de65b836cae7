"""What holds after every commit, whatever happened; and the whole state of an exchange as plain values."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from jayx_stream.engine import Exchange
from jayx_stream.engine.book import Book, HalfBook
from jayx_stream.model.events import Commit, decode_commits, encode_commits
from jayx_stream.model.order import Side


def state(exchange: Exchange) -> dict[str, Any]:
    """Everything that the exchange knows, fit to be compared with `==`."""
    return {
        "seq": exchange.seq,
        "time_ns": exchange.time_ns,
        "minute_ns": exchange.minute_ns,
        "instruments": dict(exchange.instruments),
        "balances": {
            account: {
                asset: (balance.units, balance.reserved_units)
                for asset, balance in balances.items()
            }
            for account, balances in exchange.ledger.accounts().items()
        },
        "orders": {order_id: order.view() for order_id, order in exchange.orders.items()},
        "open": {account: list(orders) for account, orders in exchange._open_by_account.items()},
        "books": {symbol: book_state(book) for symbol, book in exchange.books.items()},
        "client_names": {
            name: order.view() for name, order in exchange._by_client_order_id.items()
        },
        "deposits": set(exchange._deposit_references),
        "last_order_id": exchange._last_order_id,
        "last_trade_ids": dict(exchange._last_trade_ids),
    }


def book_state(book: Book) -> dict[str, list[tuple[int, int, list[int]]]]:
    """Bids and asks, best first: ticks, lots, and order ids in order of time."""
    return {
        "bids": _half_state(book.half(Side.BUY)),
        "asks": _half_state(book.half(Side.SELL)),
    }


def _half_state(half: HalfBook) -> list[tuple[int, int, list[int]]]:
    return [(level.ticks, level.lots, list(level.orders)) for level in half.levels()]


def check(exchange: Exchange) -> None:
    """Assert all invariants of a single state."""
    check_money_is_conserved(exchange)
    check_reserves_are_those_of_open_orders(exchange)
    check_books_hold_the_open_orders(exchange)


def check_money_is_conserved(exchange: Exchange) -> None:
    """Per asset, all accounts with the fees' and the outside's sum to zero."""
    totals: Counter[str] = Counter()
    for balances in exchange.ledger.accounts().values():
        for asset, balance in balances.items():
            totals[asset] += balance.units
    assert set(totals.values()) <= {0}, f"money was made or lost: {dict(totals)}"


def check_reserves_are_those_of_open_orders(exchange: Exchange) -> None:
    """0 <= reserved <= balance, and reserved is the sum of what open orders may have to give."""
    expected: Counter[tuple[str, str]] = Counter()
    for order in exchange.orders.values():
        instrument = exchange.instruments[order.symbol]
        if order.side is Side.BUY:
            units = order.remaining_lots * order.limit_ticks * instrument.tick_lot_units
            expected[order.account, instrument.quote] += units
        else:
            expected[order.account, instrument.base] += order.remaining_lots * instrument.lot_units
    for account, balances in exchange.ledger.accounts().items():
        for asset, balance in balances.items():
            reserved_units = balance.reserved_units
            assert reserved_units == expected[account, asset], f"reserve of {account} in {asset}"
            if account != "outside":
                assert 0 <= reserved_units <= balance.units, f"{account} owes {asset}"


def check_books_hold_the_open_orders(exchange: Exchange) -> None:
    """Each open order rests once, at its price, in order of time; no book is crossed."""
    resting: list[int] = []
    for symbol, book in exchange.books.items():
        for side, half in ((Side.BUY, book.half(Side.BUY)), (Side.SELL, book.half(Side.SELL))):
            levels = list(half.levels())
            prices = [level.ticks for level in levels]
            assert prices == sorted(set(prices), reverse=side is Side.BUY), f"{symbol}: {prices}"
            for level in levels:
                orders = list(level.orders.values())
                assert all(
                    (order.symbol, order.side, order.limit_ticks) == (symbol, side, level.ticks)
                    for order in orders
                ), f"a stranger rests at {level.ticks} of {symbol}"
                assert level.lots == sum(order.remaining_lots for order in orders) > 0
                ids = [order.order_id for order in orders]
                assert ids == sorted(ids), f"{ids} at {level.ticks} are not in order of time"
                resting += ids
        bid, ask = book.half(Side.BUY).best(), book.half(Side.SELL).best()
        if bid is not None and ask is not None:
            assert bid.ticks < ask.ticks, f"{symbol} is crossed: {bid.ticks} and {ask.ticks}"
    assert sorted(resting) == sorted(exchange.orders), "open orders and books disagree"


def check_replay_equals_life(exchange: Exchange, commits: Sequence[Commit]) -> None:
    """The journal's bytes, folded by a new exchange, give the same state."""
    replayed = Exchange()
    for commit in decode_commits(encode_commits(commits)):
        replayed.apply(commit)
    assert state(replayed) == state(exchange)
