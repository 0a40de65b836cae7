"""One order on its way in: is it good, can it be paid, what does it take, what becomes of the rest."""

from jayx_stream.engine.book import Book
from jayx_stream.engine.ledger import Ledger
from jayx_stream.engine.matching import Matches, match
from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.events import AnyEvent, CancelReason, OrderCanceled, OrderPlaced, Traded
from jayx_stream.model.instrument import Instrument, fee_units
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT, COUNT_MAX

CLIENT_ORDER_ID_CHARACTERS = 36


class Placing:
    """The decision about one PlaceOrder. Reads book and ledger, changes neither."""

    def __init__(
        self, instrument: Instrument, book: Book, ledger: Ledger, command: PlaceOrder
    ) -> None:
        self._instrument = instrument
        self._book = book
        self._ledger = ledger
        self._command = command

    def decide(self, *, order_id: int, trade_id: int) -> tuple[AnyEvent, ...] | Refused:
        """The events, with ids from the given ones on; or why the order is refused."""
        command, instrument = self._command, self._instrument
        refusal = self._refuse_form() or self._refuse_balance()
        if refusal is not None:
            return refusal
        matches = match(
            self._book,
            instrument,
            account=command.account,
            side=command.side,
            type=command.type,
            lots=command.lots,
            limit_ticks=command.limit_ticks,
            quote_units=self._available_units(instrument.quote),
        )
        refusal = self._refuse_matches(matches)
        if refusal is not None:
            return refusal
        if command.type is OrderType.FOK and matches.remaining_lots:
            matches = Matches([], command.lots, met_own_order=False)
        events: list[AnyEvent] = [
            OrderPlaced(
                order_id,
                command.account,
                command.symbol,
                command.side,
                command.type,
                command.lots,
                command.limit_ticks,
                command.client_order_id,
            )
        ]
        events += self._trades(matches, order_id, trade_id)
        if matches.met_own_order:
            events.append(OrderCanceled(order_id, CancelReason.SELF_TRADE))
        elif matches.remaining_lots and not command.type.rests:
            events.append(OrderCanceled(order_id, CancelReason.REMAINDER))
        return tuple(events)

    def _trades(self, matches: Matches, order_id: int, trade_id: int) -> list[AnyEvent]:
        instrument, side = self._instrument, self._command.side
        trades: list[AnyEvent] = []
        for resting, lots in matches.fills:
            ticks = resting.limit_ticks
            base_units = instrument.base_units(lots)
            quote_units = instrument.quote_units(lots, ticks)
            taker_gets, maker_gets = (
                (base_units, quote_units) if side is Side.BUY else (quote_units, base_units)
            )
            trades.append(
                Traded(
                    trade_id + len(trades),
                    self._command.symbol,
                    side,
                    lots,
                    ticks,
                    resting.order_id,
                    order_id,
                    fee_units(maker_gets, instrument.maker_fee_e8),
                    fee_units(taker_gets, instrument.taker_fee_e8),
                )
            )
        return trades

    def _refuse_form(self) -> Refused | None:
        command, instrument = self._command, self._instrument
        lots, ticks, name = command.lots, command.limit_ticks, command.client_order_id
        if not instrument.min_lots <= lots <= instrument.max_lots:
            return _bad(
                f"{lots} lots are not within {instrument.min_lots} and {instrument.max_lots}"
            )
        if command.type is OrderType.MARKET:
            if ticks != 0:
                return _bad(f"a MARKET order has no limit, but {ticks} ticks were given")
        elif ticks < 1:
            return _bad(f"{command.type} needs a price of at least 1 tick, not {ticks}")
        if instrument.quote_units(lots, ticks) > COUNT_MAX:
            return _bad(f"{lots} lots at {ticks} ticks are worth more than can be booked")
        if name is not None and not 1 <= len(name) <= CLIENT_ORDER_ID_CHARACTERS:
            return _bad(f"clientOrderId has {len(name)} characters, 1 to 36 are allowed")
        return None

    def _refuse_balance(self) -> Refused | None:
        command, instrument = self._command, self._instrument
        asset = instrument.reserved_asset(command.side)
        needed = instrument.reserved_units(command.side, command.lots, command.limit_ticks)
        available = self._available_units(asset)
        if needed <= available:
            return None
        return insufficient(asset, needed, available)

    def _refuse_matches(self, matches: Matches) -> Refused | None:
        command = self._command
        best = self._book.opposite(command.side).best()
        if best is None:
            return None
        if command.type is OrderType.POST_ONLY and (matches.fills or matches.met_own_order):
            reason = f"{command.side} at {command.limit_ticks} ticks would take from {best.ticks}"
            return Refused(ErrorCode.WOULD_TAKE, reason)
        spends = command.type is OrderType.MARKET and command.side is Side.BUY
        if spends and not matches.fills and not matches.met_own_order:
            needed = self._instrument.quote_units(1, best.ticks)
            quote = self._instrument.quote
            return insufficient(quote, needed, self._available_units(quote))
        return None

    def _available_units(self, asset: str) -> int:
        return self._ledger.available_units(self._command.account, asset)


def _bad(reason: str) -> Refused:
    return Refused(ErrorCode.BAD_ORDER, reason)


def insufficient(asset: str, needed_units: int, available_units: int) -> Refused:
    """More of an asset is needed than no open order reserves."""
    needed, available = ASSET_UNIT.text(needed_units), ASSET_UNIT.text(available_units)
    reason = f"{needed} {asset} are needed, {available} are available"
    return Refused(ErrorCode.INSUFFICIENT_BALANCE, reason)
