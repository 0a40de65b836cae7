"""Accounts, and money that comes in or goes out. Rule: a reference moves money once, however often it
is asked for.
"""

from jayx_stream.engine.ledger import FEES, OUTSIDE, Ledger
from jayx_stream.engine.placing import insufficient
from jayx_stream.model.commands import Deposit, OpenAccount, Withdraw
from jayx_stream.model.events import AccountOpened, AnyEvent, Deposited, Withdrawn
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT, COUNT_MAX


class Transfers:
    """What was moved between accounts and the outside. `decide_*` read only, the others post."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.deposits: set[tuple[str, str]] = set()
        """Account and reference of each."""
        self.withdrawals: dict[tuple[str, str], tuple[str, int]] = {}
        """Asset and units by account and reference."""

    def decide_open(self, command: OpenAccount) -> tuple[AnyEvent, ...] | Refused:
        """Some names are not to be had."""
        if command.account in (FEES, OUTSIDE, ""):
            return _bad(f"the account name {command.account!r} is not to be had")
        return () if self._ledger.has(command.account) else (AccountOpened(command.account),)

    def decide_deposit(self, command: Deposit) -> tuple[AnyEvent, ...] | Refused:
        """One of a reference that was used is passed over, whatever it says: the configuration's
        deposits are asked for at each start, and may have been edited since.
        """
        account, asset, units = command.account, command.asset, command.units
        if not self._ledger.has(account):
            return _bad(f"no account {account}")
        if (account, command.reference) in self.deposits:
            return ()
        outside = self._ledger.balances(OUTSIDE).get(asset)
        brought_in = -outside.units if outside is not None else 0
        if units < 1 or brought_in + units > COUNT_MAX:
            return _bad(
                f"a deposit of {units} units of {asset} is not within 1 and {COUNT_MAX - brought_in}"
            )
        return (Deposited(account, asset, units, command.reference),)

    def decide_withdraw(self, command: Withdraw) -> tuple[AnyEvent, ...] | Refused:
        """One of a reference that was used must say the same again."""
        account, asset, units = command.account, command.asset, command.units
        if not self._ledger.has(account):
            return _bad(f"no account {account}")
        made = self.withdrawals.get((account, command.reference))
        if made == (asset, units):
            return ()
        if made is not None:
            return _bad(
                f"{command.reference} is a withdrawal of {_amount(*made)} by {account}, "
                f"not of {_amount(asset, units)}"
            )
        if units < 1:
            return _bad(f"a withdrawal of {units} units of {asset} is less than 1")
        available = self._ledger.available_units(account, asset)
        if units > available:
            return insufficient(asset, units, available)
        return (Withdrawn(account, asset, units, command.reference),)

    def deposit(self, event: Deposited) -> None:
        """Money came in."""
        self._ledger.transfer(OUTSIDE, event.account, event.asset, event.units)
        self._ledger.check_conserved(event.asset)
        self.deposits.add((event.account, event.reference))

    def withdraw(self, event: Withdrawn) -> None:
        """Money went out."""
        self._ledger.transfer(event.account, OUTSIDE, event.asset, event.units)
        self._ledger.check_conserved(event.asset)
        self.withdrawals[event.account, event.reference] = (event.asset, event.units)


def _amount(asset: str, units: int) -> str:
    return f"{ASSET_UNIT.text(units)} {asset}"


def _bad(reason: str) -> Refused:
    return Refused(ErrorCode.BAD_REQUEST, reason)
