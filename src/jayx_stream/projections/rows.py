"""What history keeps of a commit, told from what the commit changed: nothing is folded again."""

from jayx_stream.model.past import AccountChange, Rows
from jayx_stream.projections.changes import Changes
from jayx_stream.projections.projections import Projections


def rows_of(changes: Changes, projections: Projections) -> Rows:
    """The rows of the newest commit, before the next one is applied: orders that changed are live."""
    accounts = [*changes.orders, *sorted(changes.positions - changes.orders.keys())]
    return Rows(
        changes.seq,
        tuple(turn.closed for turn in changes.turns.values() if turn.closed.lots),
        tuple(changes.trades),
        tuple(
            AccountChange(
                account,
                changes.seq,
                tuple(order.view() for order in changes.orders.get(account, ())),
                projections.positions.of(account).spot if account in changes.positions else None,
            )
            for account in accounts
        ),
    )
