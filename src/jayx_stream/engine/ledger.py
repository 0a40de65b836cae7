"""Double-entry balances in integers. Rule: every posting moves units from one account to another, so
that per asset all accounts together, with the fees' and the outside's, always hold zero.
"""

from collections.abc import Iterable, Mapping

FEES = "fees"
"""The account that fees are paid to."""

OUTSIDE = "outside"
"""Where deposits come from and withdrawals go to; its balance is minus what all others hold."""


class Balance:
    """One account's part of one asset, in the asset's smallest unit."""

    __slots__ = ("reserved_units", "units")

    def __init__(self) -> None:
        self.units = 0
        self.reserved_units = 0
        """What open orders may have to give; at most `units`."""

    @property
    def available_units(self) -> int:
        """What no open order reserves."""
        return self.units - self.reserved_units


class Ledger:
    """All balances. Callers check first: a posting that can't be is our own fault, and asserts."""

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Balance]] = {FEES: {}, OUTSIDE: {}}
        self._totals: dict[str, int] = {}
        """By asset, all postings together; `check_conserved` wants zero."""

    def open(self, account: str) -> None:
        """Make an account without balances."""
        self._accounts.setdefault(account, {})

    def has(self, account: str) -> bool:
        """Whether a trader's account of this name is open."""
        return account in self._accounts and account not in (FEES, OUTSIDE)

    def balances(self, account: str) -> Mapping[str, Balance]:
        """By asset, every asset that the account ever held."""
        return self._accounts[account]

    def accounts(self) -> Mapping[str, Mapping[str, Balance]]:
        """All accounts, the fees' and the outside's included."""
        return self._accounts

    def available_units(self, account: str, asset: str) -> int:
        """What the account can still reserve or spend."""
        balance = self._accounts[account].get(asset)
        return 0 if balance is None else balance.units - balance.reserved_units

    def transfer(self, source: str, target: str, asset: str, units: int) -> None:
        """Move units; every account but the outside must own them."""
        self._post(source, asset, -units)
        self._post(target, asset, units)

    def check_conserved(self, asset: str) -> None:
        """Assert that no posting in the asset made or lost money."""
        assert self._totals[asset] == 0, f"postings of {asset} sum to {self._totals[asset]}, not 0"

    def reserve(self, account: str, asset: str, units: int) -> None:
        """Set units aside for an order."""
        balance = self._balance(account, asset)
        balance.reserved_units += units
        assert balance.reserved_units <= balance.units, (
            f"0 <= available: {account} reserved more {asset} than it has"
        )

    def release(self, account: str, asset: str, units: int) -> None:
        """Make reserved units available again."""
        balance = self._balance(account, asset)
        balance.reserved_units -= units
        assert balance.reserved_units >= 0, (
            f"available <= balance: {account} released more {asset} than it reserved"
        )

    def restore(self, account: str, balances: Iterable[tuple[str, int]]) -> None:
        """Give an account of an empty ledger what it owned. Nothing is reserved yet."""
        self.open(account)
        for asset, units in balances:
            self._post(account, asset, units)

    def check_all_conserved(self) -> None:
        """`check_conserved` for every asset there is."""
        for asset in self._totals:
            self.check_conserved(asset)

    def _post(self, account: str, asset: str, units: int) -> None:
        balance = self._balance(account, asset)
        balance.units += units
        self._totals[asset] = self._totals.get(asset, 0) + units
        assert balance.units >= balance.reserved_units or account == OUTSIDE, (
            f"0 <= available: {account} overdrew {asset}"
        )

    def _balance(self, account: str, asset: str) -> Balance:
        balances = self._accounts[account]
        balance = balances.get(asset)
        if balance is None:
            balance = balances[asset] = Balance()
        return balance
