"""The past, for those who ask: closed klines, trades, past orders, and each account's changes.

`History` is the contract; `sqlite` and `memory` are its makes, and one suite tests them all. It is
no truth: all of it can be made again from the journal.
"""

from collections.abc import Sequence
from typing import Protocol

from jayx_stream.model.order import OrderView
from jayx_stream.model.past import AccountChange, Fill, KlineRange, Page, Rows, Trade
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.views import Kline
from jayx_stream.wire.errors import ProtocolError

CHANGES_KEPT = 1_000_000
"""Commits whose changes of accounts are kept, if nothing else is configured."""


class HistoryError(ProtocolError):
    """History can't be written or read. Whoever asks is told UNAVAILABLE; the venue goes on."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, f"history can't be read: {reason}")


class History(Protocol):
    """Rows of commits. One writer; every method is called on one event loop. What was appended is
    seen by every read that is asked for afterwards. Reads raise HistoryError.
    """

    @property
    def last_seq(self) -> int:
        """Number of the last commit that was appended; 0 if there is none."""
        ...

    def append(self, rows: Rows) -> None:
        """Take the rows of the next commit in; those of a commit that is there already change
        nothing. Asserts that none is left out. Written soon, not now.
        """
        ...

    async def room(self) -> None:
        """Wait while too much is appended and not yet written."""
        ...

    async def flush(self) -> None:
        """Write all that was appended, so that it survives a loss of power. Raises HistoryError."""
        ...

    async def klines(self, wanted: KlineRange) -> list[Kline]:
        """Closed klines of a series, oldest first, without a gap from the first that was traded in:
        `to_s` is not later than the last that closed.
        """
        ...

    async def order(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        """A closed order of the account, by either id."""
        ...

    async def orders(self, account: str, symbols: Sequence[str], page: Page) -> list[OrderView]:
        """Closed orders of the account in these symbols, by id and by when they were placed; newest
        first.
        """
        ...

    async def fills(self, account: str, symbols: Sequence[str], page: Page) -> list[Fill]:
        """Fills of the account's orders in these symbols, by number; newest first."""
        ...

    async def trades(self, symbol: str, page: Page) -> list[Trade]:
        """Trades of a symbol, by trade id alone; newest first."""
        ...

    async def changes(self, account: str, after_seq: int, limit: int) -> list[AccountChange] | None:
        """The first `limit` changes of the account after a commit, oldest first; None if not all
        of them are kept any more.
        """
        ...

    async def close(self) -> None:
        """Write all that was appended, and let go. Nothing may be called afterwards."""
        ...
