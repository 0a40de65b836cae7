"""Which instruments trade, on which terms, and which of them are halted."""

from collections.abc import Iterable

from jayx_stream.engine.book import Book
from jayx_stream.engine.ledger import Ledger
from jayx_stream.engine.market import Market
from jayx_stream.model.commands import HaltTrading
from jayx_stream.model.events import (
    AnyEvent,
    CancelReason,
    InstrumentListed,
    OrderCanceled,
    TradingHalted,
    TradingResumed,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import Order
from jayx_stream.model.reasons import ErrorCode, Refused


class Listings:
    """All instruments. Changed by `Exchange.apply` only."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.instruments: dict[str, Instrument] = {}
        """By symbol, in the order in which they were first listed; so are the next two."""
        self.markets: dict[str, Market] = {}
        self.books: dict[str, Book] = {}
        """Those of the markets."""
        self.halted: set[str] = set()
        """Symbols of which no orders are taken."""

    def list(self, instrument: Instrument) -> None:
        """It trades on these terms from now on."""
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        market = self.markets.get(symbol)
        if market is None:
            market = self.markets[symbol] = Market(instrument, self._ledger)
            self.books[symbol] = market.book
        else:
            market.list(instrument)

    def refuse(self, symbol: str | None) -> Refused | None:
        """Why a request that names this symbol can't be done; None if it can, or names none."""
        if symbol is None or symbol in self.instruments:
            return None
        return Refused(ErrorCode.UNKNOWN_SYMBOL, f"no instrument {symbol}")

    def decide_list(self, instrument: Instrument) -> tuple[AnyEvent, ...] | Refused:
        """What stands in open orders and balances stays as it is: assets and steps."""
        listed = self.instruments.get(instrument.symbol)
        if listed == instrument:
            return ()
        if listed is not None and _steps(listed) != _steps(instrument):
            return Refused(
                ErrorCode.BAD_REQUEST,
                f"{instrument.symbol} is listed with other assets, tick size or lot size: "
                f"{_steps(listed)}, not {_steps(instrument)}",
            )
        return (InstrumentListed(instrument),)

    def decide_halt(
        self, command: HaltTrading, open_orders: Iterable[Order]
    ) -> tuple[AnyEvent, ...] | Refused:
        """`open_orders` are those of all symbols, by id."""
        symbol = command.symbol
        refused = self.refuse(symbol)
        if refused is not None:
            return refused
        events: list[AnyEvent] = [] if symbol in self.halted else [TradingHalted(symbol)]
        if command.cancel_orders:
            events += [
                OrderCanceled(order.order_id, CancelReason.HALTED)
                for order in open_orders
                if order.symbol == symbol
            ]
        return tuple(events)

    def decide_resume(self, symbol: str) -> tuple[AnyEvent, ...] | Refused:
        """One that is not halted stays so."""
        refused = self.refuse(symbol)
        if refused is not None:
            return refused
        return (TradingResumed(symbol),) if symbol in self.halted else ()


def _steps(instrument: Instrument) -> tuple[str, str, str, str]:
    return (
        instrument.base,
        instrument.quote,
        instrument.tick_size.text(1),
        instrument.lot_size.text(1),
    )
