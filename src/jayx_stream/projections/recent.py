"""The newest changes of all accounts, so that who was away for a moment needs no look at history."""

from collections import deque
from itertools import takewhile

from jayx_stream.model.past import AccountChange, Rows

CHANGES_MAX = 10_000


class RecentChanges:
    """All changes after some commit, at most so many: the oldest is forgotten for the newest."""

    def __init__(self, changes_max: int = CHANGES_MAX) -> None:
        self._changes_max = changes_max
        self._after_seq = 0
        """Of later commits all changes are here."""
        self.last_seq = 0
        self._accounts: dict[str, deque[AccountChange]] = {}
        self._all: deque[AccountChange] = deque()

    def skip_to(self, seq: int) -> None:
        """Commits up to this one happened without `add`: what is here begins after it."""
        if seq > self.last_seq:
            self._accounts.clear()
            self._all.clear()
            self._after_seq = self.last_seq = seq

    def add(self, rows: Rows) -> None:
        """Take a commit's changes in."""
        self.skip_to(rows.seq - 1)
        self.last_seq = rows.seq
        for change in rows.changes:
            self._accounts.setdefault(change.account, deque()).append(change)
            self._all.append(change)
        while len(self._all) > self._changes_max:
            self._forget(self._all.popleft())

    def after(self, account: str, seq: int, limit: int) -> list[AccountChange] | None:
        """The first `limit` of the account's changes after a commit, oldest first; None if not all
        of them are here.
        """
        if seq < self._after_seq:
            return None
        newest = reversed(self._accounts.get(account, ()))
        later = list(takewhile(lambda change: change.seq > seq, newest))
        return later[: -limit - 1 : -1]

    def _forget(self, change: AccountChange) -> None:
        self._after_seq = change.seq
        changes = self._accounts[change.account]
        changes.popleft()
        if not changes:
            del self._accounts[change.account]
