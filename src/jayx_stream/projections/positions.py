"""What each account owns and what of it is available, by asset."""

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.views import Position, Positions


class Holding:
    """One account's part of one asset, in its smallest unit."""

    __slots__ = ("asset", "place", "reserved_units", "units")

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.units = 0
        self.reserved_units = 0
        self.place = 0
        """Among the account's, in the order of their assets."""

    def position(self) -> Position:
        """As it is seen."""
        return Position(self.asset, self.units, self.units - self.reserved_units)


class Account:
    """One account's holdings, and its positions as they were last asked for: of many assets a trade changes
    two, and all are told.
    """

    __slots__ = ("_changed", "_holdings", "_spot")

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}
        """In the order of their assets."""
        self._spot: list[Position] = []
        """In the same order; not as they are for those in `_changed`."""
        self._changed: dict[str, Holding] = {}

    def holding(self, asset: str) -> Holding:
        """One that is about to change."""
        holding = self._holdings.get(asset)
        if holding is None:
            holding = self._add(asset)
        self._changed[asset] = holding
        return holding

    def positions(self) -> Positions:
        """Sorted by asset."""
        for holding in self._changed.values():
            self._spot[holding.place] = holding.position()
        self._changed.clear()
        return Positions(tuple(self._spot))

    def owned(self) -> tuple[tuple[str, int], ...]:
        """Units of each asset."""
        return tuple((asset, holding.units) for asset, holding in self._holdings.items())

    def _add(self, asset: str) -> Holding:
        self._holdings[asset] = Holding(asset)
        self._holdings = dict(sorted(self._holdings.items()))
        for place, holding in enumerate(self._holdings.values()):
            holding.place = place
        self._spot = [holding.position() for holding in self._holdings.values()]
        return self._holdings[asset]


class AllPositions:
    """Every account's holdings. An asset once held stays listed, at zero too (protocol §6)."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    @property
    def count(self) -> int:
        """Accounts that were ever opened."""
        return len(self._accounts)

    def open(self, account: str) -> None:
        """An account without holdings."""
        self._accounts.setdefault(account, Account())

    def credit(self, account: str, asset: str, units: int) -> None:
        """Add units, or take some off if negative."""
        self._accounts[account].holding(asset).units += units

    def reserve(self, order: Order, instrument: Instrument, lots: int) -> None:
        """Reserve for `lots` of an order, or release if negative."""
        side = order.side
        units = instrument.reserved_units(side, lots, order.limit_ticks)
        if units:
            asset = instrument.reserved_asset(side)
            self._accounts[order.account].holding(asset).reserved_units += units

    def settle(
        self, order: Order, instrument: Instrument, lots: int, ticks: int, fee_units: int
    ) -> None:
        """Exchange `lots` of an order at `ticks`; the fee is taken from what is received."""
        account = self._accounts[order.account]
        base, quote = account.holding(instrument.base), account.holding(instrument.quote)
        base_units = instrument.base_units(lots)
        quote_units = instrument.quote_units(lots, ticks)
        if order.is_buy:
            base.units += base_units - fee_units
            quote.units -= quote_units
        else:
            base.units -= base_units
            quote.units += quote_units - fee_units

    def of(self, account: str) -> Positions:
        """The account's positions, sorted by asset."""
        holder = self._accounts.get(account)
        return Positions(()) if holder is None else holder.positions()

    def state(self) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
        """What every account owns; see `ProjectionsState.holdings`."""
        return tuple(
            (account, holder.owned()) for account, holder in sorted(self._accounts.items())
        )
