"""What history keeps of a commit, told from what the commit changed: nothing is folded again.

Rule: it is asked of the newest commit, before the next one is applied: orders that changed are live.
"""

from jayx_stream.model.past import AccountChange, Rows
from jayx_stream.projections.changes import Changes
from jayx_stream.projections.projections import Projections


def rows_of(changes: Changes, projections: Projections) -> Rows:
    """The rows of the newest commit."""
    closed = [turn.closed for turn in changes.turns.values() if turn.closed.lots]
    told = [account_change(each, changes, projections) for each in changes.accounts()]
    return Rows(changes.seq, tuple(closed), tuple(changes.trades), tuple(told))


def account_change(account: str, changes: Changes, projections: Projections) -> AccountChange:
    """What the newest commit changed of one account."""
    orders = [order.view() for order in changes.orders.get(account, ())]
    is_other = account in changes.positions
    spot = projections.positions.of(account).spot if is_other else None
    return AccountChange(account, changes.seq, tuple(orders), spot)
