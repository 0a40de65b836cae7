"""Double-entry balances in integers. Rule: every posting moves units from one balance to another, so
that per asset all accounts together, with the fees' and the outside's, always hold zero.
"""

from collections.abc import Iterable, Mapping

from jayx_stream.model.order import Order

FEES = "fees"
"""The account that fees are paid to."""

OUTSIDE = "outside"
"""Where deposits come from and withdrawals go to; its balance is minus what all others hold."""


class Asset:
    """An asset's name, and the sum of all postings in it."""

    __slots__ = ("name", "posted_units")

    def __init__(self, name: str) -> None:
        self.name = name
        self.posted_units = 0
        """Zero, but between the two postings of a transfer."""

    def check_conserved(self) -> None:
        """Assert that no posting in the asset made or lost money."""
        assert self.posted_units == 0, f"postings of {self.name} sum to {self.posted_units}, not 0"


class Balance:
    """One account's part of one asset, in the asset's smallest unit. Callers check first: what can't be
    is our own fault, and asserts.
    """

    __slots__ = ("account", "asset", "reserved_units", "units")

    def __init__(self, account: str, asset: Asset) -> None:
        self.account = account
        self.asset = asset
        self.units = 0
        self.reserved_units = 0
        """What open orders may have to give; at most `units`."""

    @property
    def available_units(self) -> int:
        """What no open order reserves."""
        return self.units - self.reserved_units

    def post(self, units: int) -> None:
        """Add units, or take them if negative; every account but the outside must own them."""
        self.units += units
        self.asset.posted_units += units
        assert self.units >= self.reserved_units or self.account == OUTSIDE, (
            f"0 <= available: {self.account} overdrew {self.asset.name}"
        )

    def reserve(self, units: int) -> None:
        """Set units aside for an order."""
        self.reserved_units += units
        assert self.reserved_units <= self.units, (
            f"0 <= available: {self.account} reserved more {self.asset.name} than it has"
        )

    def release(self, units: int) -> None:
        """Make reserved units available again."""
        self.reserved_units -= units
        assert self.reserved_units >= 0, (
            f"available <= balance: {self.account} released more {self.asset.name} than it reserved"
        )


class Account:
    """What one account holds and has open."""

    __slots__ = ("balances", "name", "open_orders")

    def __init__(self, name: str) -> None:
        self.name = name
        self.balances: dict[str, Balance] = {}
        """By asset, every asset that the account ever held."""
        self.open_orders: dict[int, Order] = {}
        """By id, oldest first."""

    def balance(self, asset: Asset) -> Balance:
        """The account's part of an asset, which it holds from now on."""
        balance = self.balances.get(asset.name)
        if balance is None:
            balance = self.balances[asset.name] = Balance(self.name, asset)
        return balance

    def available_units(self, asset: str) -> int:
        """What the account can still reserve or spend."""
        balance = self.balances.get(asset)
        return 0 if balance is None else balance.units - balance.reserved_units


def move(source: Balance, target: Balance, units: int) -> None:
    """Move units of an asset."""
    source.post(-units)
    target.post(units)


class Ledger:
    """All accounts."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {FEES: Account(FEES), OUTSIDE: Account(OUTSIDE)}
        self._assets: dict[str, Asset] = {}

    def open(self, account: str) -> None:
        """Make an account without balances."""
        if account not in self._accounts:
            self._accounts[account] = Account(account)

    def has(self, account: str) -> bool:
        """Whether a trader's account of this name is open."""
        return self.trader(account) is not None

    def trader(self, account: str) -> Account | None:
        """The trader's account of this name; the fees' and the outside's are nobody's."""
        return None if account in (FEES, OUTSIDE) else self._accounts.get(account)

    def account(self, account: str) -> Account:
        """An account that is there."""
        return self._accounts[account]

    def asset(self, asset: str) -> Asset:
        """The asset of this name."""
        known = self._assets.get(asset)
        if known is None:
            known = self._assets[asset] = Asset(asset)
        return known

    def balances(self, account: str) -> Mapping[str, Balance]:
        """By asset, every asset that the account ever held."""
        return self._accounts[account].balances

    def accounts(self) -> Mapping[str, Mapping[str, Balance]]:
        """The balances of all accounts, the fees' and the outside's included."""
        return {name: account.balances for name, account in self._accounts.items()}

    def available_units(self, account: str, asset: str) -> int:
        """What the account can still reserve or spend."""
        return self._accounts[account].available_units(asset)

    def transfer(self, source: str, target: str, asset: str, units: int) -> None:
        """Move units; every account but the outside must own them."""
        self._post(source, asset, -units)
        self._post(target, asset, units)

    def check_conserved(self, asset: str) -> None:
        """Assert that no posting in the asset made or lost money."""
        self._assets[asset].check_conserved()

    def restore(self, account: str, balances: Iterable[tuple[str, int]]) -> None:
        """Give an account of an empty ledger what it owned. Nothing is reserved yet."""
        self.open(account)
        for asset, units in balances:
            self._post(account, asset, units)

    def check_all_conserved(self) -> None:
        """`check_conserved` for every asset there is."""
        for asset in self._assets.values():
            asset.check_conserved()

    def _post(self, account: str, asset: str, units: int) -> None:
        self._accounts[account].balance(self.asset(asset)).post(units)
