"""What every history promises. A new make adds its name to `HISTORIES`, and passes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from jayx_stream.history import History
from jayx_stream.history.memory import MemoryHistory
from jayx_stream.history.sqlite import SqliteHistory
from jayx_stream.model.order import OrderState
from jayx_stream.model.past import KlineRange, Page, Rows
from tests.history.kept import Crowd, paged, some_page

KEPT = 500
ALL = Page(1000)


async def memory(directory: Path, changes_kept: int) -> History:
    return MemoryHistory(changes_kept)


async def sqlite(directory: Path, changes_kept: int) -> History:
    return await SqliteHistory.open(directory, "00c0ffee00c0ffee", 10**9, changes_kept)


HISTORIES: list[Callable[[Path, int], Awaitable[History]]] = [memory, sqlite]


@cache
def crowd(seed: int = 1) -> Crowd:
    return Crowd(seed)


@pytest_asyncio.fixture(params=HISTORIES, ids=lambda make: make.__name__)
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    opened: History = await request.param(tmp_path, 0)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(params=HISTORIES, ids=lambda make: make.__name__)
async def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    opened: History = await request.param(tmp_path, KEPT)
    yield opened
    await opened.close()


async def test_a_new_history_is_empty(history: History) -> None:
    assert history.last_seq == 0
    assert await history.orders("ann", ["OILUSD"], ALL) == []
    assert await history.fills("ann", ["OILUSD"], ALL) == []
    assert await history.trades("OILUSD", ALL) == []
    assert await history.changes("ann", 0, 10) == []
    assert await history.order("ann", 1, None) is None
    assert await history.klines(KlineRange("OILUSD", 60, None, 10**9, 10, newest=True)) == []


async def test_commits_that_are_there_change_nothing(history: History) -> None:
    first = crowd()
    first.give(history)
    first.give(history)
    await history.flush()
    first.give(history, first.rows[-3:])
    assert history.last_seq == first.rows[-1].seq
    found = await history.trades("OILUSD", ALL)
    assert len(found) == min(1000, sum(trade.symbol == "OILUSD" for trade in first.trades))


async def test_a_commit_that_is_left_out_is_an_error(history: History) -> None:
    history.append(Rows(1))
    with pytest.raises(AssertionError, match="rows of 3 after 1"):
        history.append(Rows(3))


async def test_what_was_appended_is_seen_at_once(history: History) -> None:
    for rows in crowd().rows[:300]:
        history.append(rows)
        for change in rows.changes:
            assert await history.changes(change.account, rows.seq - 1, 1) == [change]


@pytest.mark.parametrize("seed", range(3))
async def test_klines_are_those_that_closed_flat_ones_too(history: History, seed: int) -> None:
    random, traders = Random(seed), crowd(seed)
    traders.give(history)
    for (symbol, interval_s), klines in traders.klines.items():
        last_s = klines[-1].created_s
        for _ in range(20):
            from_s = random.choice((None, random.randint(0, last_s)))
            to_s, limit = random.randint(0, last_s), random.choice((1, 5, 1000))
            newest = from_s is None or random.random() < 0.5
            within = [each for each in klines if (from_s or 0) <= each.created_s <= to_s]
            expected = within[-limit:] if newest else within[:limit]
            wanted = KlineRange(symbol, interval_s, from_s, to_s, limit, newest)
            assert await history.klines(wanted) == expected, wanted


async def test_orders_are_found_by_either_id(history: History) -> None:
    traders = crowd()
    traders.give(history)
    for order in traders.orders[::5]:
        assert await history.order(order.account, order.order_id, None) == order
        assert await history.order("nobody", order.order_id, None) is None
        if order.client_order_id is not None:
            assert await history.order(order.account, None, order.client_order_id) == order
    assert await history.order("ann", None, "never used") is None


@pytest.mark.parametrize("seed", range(3))
async def test_past_orders_come_in_pages(history: History, seed: int) -> None:
    random, traders = Random(seed), crowd(seed)
    traders.give(history)
    last_ms = traders.projections.time_ns // 1_000_000
    for _ in range(60):
        account = random.choice(traders.accounts)
        symbols = random.choice((traders.symbols, traders.symbols[:1], ["NONE"]))
        page = some_page(random, traders.orders[-1].order_id, last_ms)
        rows = [
            (order.order_id, order.created_ns // 1_000_000)
            for order in traders.orders
            if order.account == account and order.symbol in symbols
        ]
        found = await history.orders(account, symbols, page)
        assert [order.order_id for order in found] == paged(rows, page), page
        assert all(order in traders.orders for order in found)


async def test_an_order_that_an_amendment_filled_is_a_past_order(history: History) -> None:
    traders = crowd()
    traders.give(history)
    filled = [
        order
        for order in traders.orders
        if order.state is OrderState.FILLED and order.modified_ns > traders.last_fill_ns(order)
    ]
    assert filled, "the crowd amended none down to what was executed"
    for order in filled:
        assert order.lots == order.executed_lots
        assert await history.order(order.account, order.order_id, None) == order


@pytest.mark.parametrize("seed", range(3))
async def test_fills_come_in_pages(history: History, seed: int) -> None:
    random, traders = Random(seed), crowd(seed)
    traders.give(history)
    last_ms = traders.projections.time_ns // 1_000_000
    for _ in range(60):
        account = random.choice(traders.accounts)
        symbols = random.choice((traders.symbols, traders.symbols[:1], ["NONE"]))
        page = some_page(random, len(traders.trades), last_ms)
        found = await history.fills(account, symbols, page)
        assert [each.number for each in found] == paged(traders.fills(account, symbols), page), page
        for fill in found:
            trade = traders.trades[fill.number - 1]
            assert fill == trade.fill(fill.number, is_maker=trade.maker == account)


async def test_public_trades_come_in_pages_by_id(history: History) -> None:
    random, traders = Random(1), crowd()
    traders.give(history)
    for symbol in traders.symbols:
        trades = [trade for trade in traders.trades if trade.symbol == symbol]
        for _ in range(30):
            page = some_page(random, len(trades), 0)
            expected = paged([(trade.trade_id, 0) for trade in trades], page)
            assert await history.trades(symbol, page) == [trades[each - 1] for each in expected]


async def test_changes_of_an_account_follow_a_commit(history: History) -> None:
    random, traders = Random(1), crowd()
    traders.give(history)
    for _ in range(60):
        account, seq = random.choice(traders.accounts), random.randint(0, history.last_seq)
        own = [each for each in traders.changes if each.account == account and each.seq > seq]
        limit = random.choice((1, 10, 10_000))
        assert await history.changes(account, seq, limit) == own[:limit]


async def test_old_changes_are_not_told_any_more(forgetful: History) -> None:
    traders = crowd()
    traders.give(forgetful)
    oldest = forgetful.last_seq - KEPT
    assert oldest > 0
    own = [each for each in traders.changes if each.account == "ann" and each.seq > oldest]
    assert await forgetful.changes("ann", oldest, 10_000) == own
    assert await forgetful.changes("ann", oldest - 1, 10_000) is None


async def test_nobody_waits_for_room_who_has_it(history: History) -> None:
    await history.room()
    crowd().give(history)
    await history.room()
