"""Makes profiles from recorded markets: the tool behind `profile.toml`.

    python -m jayx_stream.market.fit FILE... > profile.toml

Each file is a recording as `recording` reads it, of one or several symbols; each symbol becomes a
table of the TOML text that is written. The best prices are those of the book that the diffs build
up; the first seconds, in which it is still full of holes, are not counted.
"""

import math
import statistics
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import msgspec

from jayx_stream.market.profile import Profile, table
from jayx_stream.market.recording import DepthDiff, Fault, RecordedMarket, RecordedTrade
from jayx_stream.model.units import NS_PER_MS, NS_PER_S

WARM_UP_NS = 10 * NS_PER_S
TABLE_SIZE = 25


class _Sample:
    """What one symbol's lines say, as far as they have been read."""

    def __init__(self, time_ns: int) -> None:
        self.first_ns = self.last_ns = self._trade_ns = time_ns
        self.prices: list[float] = []
        self.order_ns: list[int] = []
        """When a taker's order began; its size and side are in `quantities` and `bought`."""
        self.quantities: list[float] = []
        self.bought: list[bool] = []
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.changes = self.removals = 0
        self.spreads_bp: list[float] = []
        self.distances_bp: list[float] = []
        self.level_quantities: list[float] = []
        self.mids: dict[int, float] = {}
        """By second, the last one."""

    def trade(self, time_ns: int, trade: RecordedTrade) -> None:
        quantity, bought = float(trade.quantity), not trade.buyer_is_maker
        self.last_ns = time_ns
        self.prices.append(float(trade.price))
        at_once = self.order_ns and time_ns - self._trade_ns < NS_PER_MS
        self._trade_ns = time_ns
        if at_once and self.bought[-1] == bought:
            self.quantities[-1] += quantity
        else:
            self.order_ns.append(time_ns)
            self.quantities.append(quantity)
            self.bought.append(bought)

    def change(self, time_ns: int, diff: DepthDiff) -> None:
        self.last_ns = time_ns
        for half, levels in ((self.bids, diff.bids), (self.asks, diff.asks)):
            for price, quantity in levels:
                half[float(price)] = float(quantity)
                if float(quantity) == 0:
                    del half[float(price)]
        if time_ns < self.first_ns + WARM_UP_NS or not self.bids or not self.asks:
            return
        bid, ask = max(self.bids), min(self.asks)
        mid = (bid + ask) / 2
        self.mids[time_ns // NS_PER_S] = mid
        self.spreads_bp.append((ask - bid) / mid * 10_000)
        for best, levels in ((bid, diff.bids), (ask, diff.asks)):
            for price, quantity in levels:
                self.changes += 1
                if float(quantity) == 0:
                    self.removals += 1
                else:
                    self.distances_bp.append(abs(float(price) - best) / mid * 10_000)
                    self.level_quantities.append(float(quantity))

    def profile(self) -> Profile:
        """The figures. Raises ValueError if there is too little to take any from."""
        if len(self.order_ns) < TABLE_SIZE or len(self.mids) < TABLE_SIZE or not self.distances_bp:
            raise ValueError("too few trades and levels to fit a profile on")
        seconds = (self.last_ns - self.first_ns) / NS_PER_S
        mids = list(self.mids.values())
        returns = [math.log(after / before) for before, after in pairwise(mids)]
        gaps = [after - before for before, after in pairwise(self.order_ns)]
        same = [after == before for before, after in pairwise(self.bought)]
        return Profile(
            start_price=self.prices[0],
            volatility_bp=round(statistics.pstdev(returns) * 10_000, 4),
            taker_orders_per_s=round(len(self.order_ns) / seconds, 3),
            same_side=round(sum(same) / len(same), 4),
            level_changes_per_s=round(self.changes / (seconds - WARM_UP_NS / NS_PER_S), 1),
            removals=round(self.removals / self.changes, 4),
            taker_gap_ms=table([gap / NS_PER_MS for gap in gaps], TABLE_SIZE),
            taker_quantity=table(self.quantities, TABLE_SIZE),
            spread_bp=table(self.spreads_bp, TABLE_SIZE),
            distance_bp=table(self.distances_bp, TABLE_SIZE),
            level_quantity=table(self.level_quantities, TABLE_SIZE),
        )


def fit(paths: Iterable[Path]) -> dict[str, Profile]:
    """Profiles by symbol. Raises RecordingError, and ValueError if a symbol has too few lines."""
    samples: dict[str, _Sample] = {}
    for line in RecordedMarket(tuple(paths), _tell):
        content = line.content
        if content is None:
            continue
        sample = samples.get(content.symbol)
        if sample is None:
            sample = samples[content.symbol] = _Sample(line.time_ns)
        if isinstance(content, DepthDiff):
            sample.change(line.time_ns, content)
        else:
            sample.trade(line.time_ns, content)
    return {symbol: sample.profile() for symbol, sample in samples.items()}


def toml(profiles: dict[str, Profile]) -> str:
    """The text of a profile file."""
    lines = ["# Made by jayx_stream.market.fit; see market/profile.py for what the figures mean."]
    for symbol, profile in profiles.items():
        lines += ["", f"[{symbol}]"]
        for name, value in msgspec.structs.asdict(profile).items():
            if isinstance(value, tuple):
                rows = [value[i : i + 5] for i in range(0, len(value), 5)]
                text = ",\n".join("    " + ", ".join(f"{each:g}" for each in row) for row in rows)
                lines.append(f"{name} = [\n{text},\n]")
            else:
                lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


def _tell(fault: Fault) -> None:
    sys.stderr.write(f"{fault}\n")


if __name__ == "__main__":
    sys.stdout.write(toml(fit(map(Path, sys.argv[1:]))))
