"""One instrument's trading: its terms, its book and the number of its last trade.

Rule: the terms are the instrument's. They stand here too, as plain numbers and in place, since every
order asks for them several times.
"""

from jayx_stream.engine.book import Book
from jayx_stream.engine.ledger import Asset, Ledger
from jayx_stream.model.instrument import Instrument


class Market:
    """What the orders of one instrument have in common."""

    __slots__ = (
        "base",
        "book",
        "instrument",
        "last_trade_id",
        "lot_units",
        "maker_fee_e8",
        "max_lots",
        "min_lots",
        "quote",
        "symbol",
        "taker_fee_e8",
        "tick_lot_units",
    )

    def __init__(self, instrument: Instrument, ledger: Ledger) -> None:
        self.symbol = instrument.symbol
        self.base: Asset = ledger.asset(instrument.base)
        self.quote: Asset = ledger.asset(instrument.quote)
        self.book = Book()
        self.last_trade_id = 0
        """0 before the first."""
        self.list(instrument)

    def list(self, instrument: Instrument) -> None:
        """Trade on these terms from now on. The assets are those of before."""
        self.instrument = instrument
        self.min_lots = instrument.min_lots
        self.max_lots = instrument.max_lots
        self.maker_fee_e8 = instrument.maker_fee_e8
        self.taker_fee_e8 = instrument.taker_fee_e8
        self.lot_units = instrument.lot_units
        self.tick_lot_units = instrument.tick_lot_units

    def gives(self, *, is_buy: bool) -> Asset:
        """The asset that an order of this side gives, and so reserves."""
        return self.quote if is_buy else self.base

    def reserved_units(self, lots: int, limit_ticks: int, *, is_buy: bool) -> int:
        """See `Instrument.reserved_units`."""
        if is_buy:
            return lots * limit_ticks * self.tick_lot_units
        return lots * self.lot_units
