"""The whole state of an exchange as plain values, and what is compared with it."""

from collections.abc import Sequence
from typing import Any

from jayx_stream.engine import Exchange
from jayx_stream.engine.audit import audit as check
from jayx_stream.engine.book import Book, HalfBook
from jayx_stream.model.events import Commit, decode_commits, encode_commits
from jayx_stream.model.order import Side

__all__ = ["book_state", "check", "check_replay_equals_life", "state"]


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
        "open": {
            account: [order.order_id for order in exchange.open_orders(account)]
            for account in exchange.ledger.accounts()
        },
        "books": {symbol: book_state(book) for symbol, book in exchange.books.items()},
        "client_names": {name: order.view() for name, order in exchange.all_orders.named.items()},
        "lots_as_placed": dict(exchange.all_orders.lots_as_placed),
        "deposits": set(exchange.transfers.deposits),
        "withdrawals": dict(exchange.transfers.withdrawals),
        "halted": set(exchange.listings.halted),
        "keys": dict(exchange.keyring.stands),
        "last_order_id": exchange._last_order_id,
        "last_trade_ids": {
            symbol: market.last_trade_id for symbol, market in exchange.markets.items()
        },
    }


def book_state(book: Book) -> dict[str, list[tuple[int, int, list[int]]]]:
    """Bids and asks, best first: ticks, lots, and order ids in order of time."""
    return {
        "bids": _half_state(book.half(Side.BUY)),
        "asks": _half_state(book.half(Side.SELL)),
    }


def _half_state(half: HalfBook) -> list[tuple[int, int, list[int]]]:
    return [(level.ticks, level.lots, list(level.orders)) for level in half.levels()]


def check_replay_equals_life(exchange: Exchange, commits: Sequence[Commit]) -> None:
    """The journal's bytes, folded by a new exchange, give the same state."""
    replayed = Exchange()
    for commit in decode_commits(encode_commits(commits)):
        replayed.apply(commit)
    assert state(replayed) == state(exchange)
