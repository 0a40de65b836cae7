"""Hand-made recordings."""

import json
from collections.abc import Sequence
from pathlib import Path

START_NS = 1_723_161_600_000_000_000
"""A whole minute."""

Levels = Sequence[tuple[str, str]]


def depth(ms: int, bids: Levels = (), asks: Levels = (), symbol: str = "BTCUSDT") -> str:
    """A diff, `ms` after the start."""
    data: dict[str, object] = {"e": "depthUpdate", "s": symbol, "b": list(bids), "a": list(asks)}
    return _line(ms, f"{symbol.lower()}@depth@100ms", data)


def trade(
    ms: int, price: str, quantity: str, *, sell: bool = False, symbol: str = "BTCUSDT"
) -> str:
    """A trade; `sell` if the taker sold."""
    data: dict[str, object] = {"e": "trade", "s": symbol, "p": price, "q": quantity, "m": sell}
    return _line(ms, f"{symbol.lower()}@trade", data)


def ticker(ms: int) -> str:
    """A line that means nothing to a replay."""
    return _line(ms, "btcusdt@bookTicker", {"s": "BTCUSDT", "b": "1", "a": "2"})


def write(path: Path, *lines: str) -> Path:
    """A plain file."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _line(ms: int, stream: str, data: dict[str, object]) -> str:
    return f"{START_NS + ms * 1_000_000} {json.dumps({'stream': stream, 'data': data})}"
