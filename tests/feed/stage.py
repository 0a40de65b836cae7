"""A gateway that follows a real exchange, and readers of its streams. Needs a running event loop."""

from typing import Any

from jayx_stream.app.gateway import Gateway
from jayx_stream.engine import Exchange
from jayx_stream.history import History
from jayx_stream.model.commands import AdvanceClock, Command
from jayx_stream.model.events import Commit
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import NS_PER_S
from jayx_stream.wire.channels import Channel
from tests.desk.commands import OPENING, buy, sell
from tests.hub.reader import Reader

START_S = 1_716_131_400
"""A whole five minutes; three minutes later the user's kline begins."""


class Stage:
    """A gateway behind a real exchange. The venue's clock stands until it is set."""

    def __init__(
        self,
        *,
        kline_interval_ms: int = 0,
        orderbook_interval_ms: int = 0,
        history: History | None = None,
    ) -> None:
        self.exchange = Exchange()
        self.commits: list[Commit] = []
        self.time_ns = START_S * NS_PER_S
        self.gateway = Gateway(
            lambda: self.time_ns,
            history,
            kline_interval_ms=kline_interval_ms,
            orderbook_interval_ms=orderbook_interval_ms,
        )
        self.do(*OPENING)

    def do(self, *commands: Command) -> None:
        """Each becomes a commit, if it changes anything."""
        for command in commands:
            events = self.exchange.decide(command)
            assert not isinstance(events, Refused), events
            if events:
                commit = Commit(self.exchange.seq + 1, self.time_ns, events)
                self.exchange.apply(commit)
                self.commits.append(commit)
                self.gateway.follow([commit])

    def minute(self, minutes: int = 1) -> None:
        """So many minutes later, on the minute."""
        self.time_ns = (self.time_ns // NS_PER_S // 60 + minutes) * 60 * NS_PER_S
        self.do(AdvanceClock(minute_ns=self.time_ns))

    def trade(self, lots: int, ticks: int, second: int | None = None) -> None:
        """Bob buys from Carol, who offered just that."""
        if second is not None:
            self.time_ns = (self.time_ns // NS_PER_S // 60 * 60 + second) * NS_PER_S
        self.do(sell("carol", lots, ticks), buy("bob", lots, ticks))

    def reader(self, channel: Channel, history: int = 0) -> Reader:
        """One who reads a channel from now on."""
        reader = Reader(queue_bytes=1)
        self.gateway.hub.subscribe(reader.outbox, channel, history, now_s=0.0)
        return reader


def payloads(reader: Reader) -> list[Any]:
    """What the document knows of each push, and forgets them."""
    messages = [message["message"] for message in reader.messages]
    reader.frames.clear()
    return messages


def klines(reader: Reader) -> list[tuple[Any, Any]]:
    """Of each push, add and modify as (start in seconds, o, h, l, c, v, m)."""

    def short(kline: dict[str, Any] | None) -> tuple[int, ...] | None:
        if kline is None:
            return None
        return (
            kline["created"] - START_S,
            *(kline[name] for name in "ohlcv"),
            kline["m"] - START_S,
        )

    return [(short(each["add"]), short(each["modify"])) for each in payloads(reader)]


def orders(reader: Reader) -> list[tuple[list[Any], list[Any]]]:
    """Of each push, what stands under cancel and modify as (id, state, resd)."""
    return [
        tuple([(o["id"], o["state"], o["resd"]) for o in each[part]] for part in each)  # type: ignore[misc]
        for each in payloads(reader)
    ]
