"""What each account owns and what of it is available, by asset."""

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.views import Position, Positions


class Holding:
    """One account's part of one asset, in its smallest unit. Changed by `change` only."""

    __slots__ = ("_asset", "_position", "_reserved_units", "units")

    def __init__(self, asset: str) -> None:
        self._asset = asset
        self.units = 0
        self._reserved_units = 0
        self._position: Position | None = None

    def change(self, units: int, reserved_units: int) -> None:
        """Add to both, or take off where negative."""
        self.units += units
        self._reserved_units += reserved_units
        self._position = None

    def position(self) -> Position:
        """As it is seen. Kept until it changes: of many assets a trade changes two, and all are told."""
        position = self._position
        if position is None:
            available_units = self.units - self._reserved_units
            position = self._position = Position(self._asset, self.units, available_units)
        return position


class AllPositions:
    """Every account's holdings. An asset once held stays listed, at zero too (protocol §6)."""

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Holding]] = {}
        """Holdings in the order of their assets."""

    @property
    def count(self) -> int:
        """Accounts that were ever opened."""
        return len(self._accounts)

    def open(self, account: str) -> None:
        """An account without holdings."""
        self._accounts.setdefault(account, {})

    def credit(self, account: str, asset: str, units: int) -> None:
        """Add units, or take some off if negative."""
        self._holding(account, asset).change(units, 0)

    def reserve(self, order: Order, instrument: Instrument, lots: int) -> None:
        """Reserve for `lots` of an order, or release if negative."""
        side = order.side
        units = instrument.reserved_units(side, lots, order.limit_ticks)
        if units:
            asset = instrument.reserved_asset(side)
            self._holding(order.account, asset).change(0, units)

    def settle(
        self, order: Order, instrument: Instrument, lots: int, ticks: int, fee_units: int
    ) -> None:
        """Exchange `lots` of an order at `ticks`; the fee is taken from what is received."""
        base = self._holding(order.account, instrument.base)
        quote = self._holding(order.account, instrument.quote)
        base_units = instrument.base_units(lots)
        quote_units = instrument.quote_units(lots, ticks)
        if order.is_buy:
            base.change(base_units - fee_units, 0)
            quote.change(-quote_units, 0)
        else:
            base.change(-base_units, 0)
            quote.change(quote_units - fee_units, 0)

    def of(self, account: str) -> Positions:
        """The account's positions, sorted by asset."""
        holdings = self._accounts.get(account, {})
        return Positions(tuple([holding.position() for holding in holdings.values()]))

    def state(self) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
        """What every account owns; see `ProjectionsState.holdings`."""
        return tuple(
            (account, tuple((asset, holding.units) for asset, holding in holdings.items()))
            for account, holdings in sorted(self._accounts.items())
        )

    def _holding(self, account: str, asset: str) -> Holding:
        holdings = self._accounts[account]
        holding = holdings.get(asset)
        if holding is None:
            holding = holdings[asset] = Holding(asset)
            self._accounts[account] = dict(sorted(holdings.items()))
        return holding
