"""What became of one symbol of a recording, counted to the lot."""

from decimal import Decimal

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.reasons import Refused


class Tally:
    """Counters of one symbol. Recorded lots = traded lots + unfilled lots, always."""

    def __init__(self, instrument: Instrument) -> None:
        self.orders = 0
        """Placed, or tried to."""
        self.trades = 0
        """Recorded trades that were replayed."""
        self.recorded_lots = 0
        """Of those."""
        self.traded_lots = 0
        """Of those, as the exchange filled them."""
        self.met_lots = 0
        """What resting orders took from other participants on their arrival."""
        self.skipped_trades = 0
        """Trades whose price or size the instrument can't hold."""
        self.skipped_quantity = Decimal(0)
        self.skipped_levels = 0
        """Levels whose price is not a whole number of ticks."""
        self.rounded_levels = 0
        """Levels whose size was rounded down to lots, or to what an order may have."""
        self.refused = 0
        self.refusal: str | None = None
        """The first reason."""
        self._instrument = instrument

    def refuse(self, answer: Refused) -> None:
        """An order was refused."""
        self.refused += 1
        self.refusal = self.refusal or answer.reason

    def __str__(self) -> str:
        each = self._instrument
        unfilled_lots = self.recorded_lots - self.traded_lots
        lines = [
            f"{each.symbol}: {self.trades} trades, recorded {self.recorded_lots} lots, "
            f"traded {self.traded_lots} lots, difference {unfilled_lots}"
        ]
        if unfilled_lots:
            lines.append(f"{unfilled_lots} lots found nobody at their price any more")
        if self.met_lots:
            lines.append(f"{self.met_lots} lots more were traded with other participants")
        if self.skipped_trades:
            lines.append(
                f"{self.skipped_trades} more trades, together {self.skipped_quantity.normalize():f} "
                f"{each.base}, were left out: not whole ticks of {each.tick_size.text(1)}, "
                f"lots of {each.lot_size.text(1)}, or sizes that may be ordered"
            )
        if self.skipped_levels:
            lines.append(f"{self.skipped_levels} levels left out: not whole ticks")
        if self.rounded_levels:
            lines.append(f"{self.rounded_levels} levels rounded down to lots")
        if self.refused:
            lines.append(f"{self.refused} orders refused, the first: {self.refusal}")
        return "\n  ".join(lines)
