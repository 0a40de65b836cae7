"""Channels: what can be subscribed to, and its canonical name (protocol §3 to §7)."""

from typing import ClassVar

from msgspec import Struct

from jayx_stream.model.instrument import CATEGORY

PRECISE_MAX = 1_000_000
PRECISES = tuple(10**power for power in range(len(str(PRECISE_MAX))))
DEPTHS = (5, 10, 20, 50, 200, 1000)
DEPTH_DEFAULT = 50
PUSHED_TRADES = 50
"""Trades in one push of `orderbook`."""


Topic = tuple[str, str]
"""What makes a channel change: an event, and the symbol that it happens to; or `ACCOUNT`, and which one."""

ACCOUNT = "account"
"""All streams of one account have one topic: hardly a commit changes one of them alone."""


class KlineChannel(Struct, frozen=True):
    """The klines of one symbol and interval."""

    event: ClassVar[str] = "kline"
    symbol: str
    interval_s: int

    @property
    def topic(self) -> Topic:
        """What makes it change."""
        return self.event, self.symbol

    @property
    def name(self) -> str:
        """The stream's canonical name."""
        return f"kline:{CATEGORY}:{self.symbol}:{self.interval_s}"


class OrderbookChannel(Struct, frozen=True, weakref=True):
    """The book of one symbol in levels `precise` ticks wide, with its last trades."""

    event: ClassVar[str] = "orderbook"
    symbol: str
    precise: int = 1
    depth: int = DEPTH_DEFAULT
    delta: bool = False
    """Whether readers are told what changed, in place of the whole."""

    @property
    def topic(self) -> Topic:
        """What makes it change."""
        return self.event, self.symbol

    @property
    def name(self) -> str:
        """The stream's canonical name; what differs from the default is part of it, sorted."""
        name = f"orderbook:{CATEGORY}:{self.symbol}:{self.precise}"
        if self.depth != DEPTH_DEFAULT:
            name += f":depth={self.depth}"
        return f"{name}:mode=delta" if self.delta else name


class PositionsChannel(Struct, frozen=True):
    """One account's balances. Private."""

    event: ClassVar[str] = "positions"
    account: str

    @property
    def topic(self) -> Topic:
        """What makes it change."""
        return ACCOUNT, self.account

    @property
    def name(self) -> str:
        """The stream's canonical name."""
        return f"positions:{CATEGORY}@{self.account}"


class OpenOrdersChannel(Struct, frozen=True):
    """One account's orders, of one symbol or, if that is None, of all. Private."""

    event: ClassVar[str] = "openorders"
    account: str
    symbol: str | None = None

    @property
    def topic(self) -> Topic:
        """What makes it change."""
        return ACCOUNT, self.account

    @property
    def name(self) -> str:
        """The stream's canonical name."""
        if self.symbol is None:
            return f"openorders:{CATEGORY}@{self.account}"
        return f"openorders:{CATEGORY}:{self.symbol}@{self.account}"


PUBLIC_EVENTS = frozenset({KlineChannel.event, OrderbookChannel.event})
"""Of streams that tell everyone the same. All others are an account's own."""

Channel = KlineChannel | OrderbookChannel | PositionsChannel | OpenOrdersChannel
