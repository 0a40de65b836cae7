"""What is counted at the doors: connections, requests, orders. Whoever is asked for figures reads it.

Rule: every key comes from a set that clients can't make larger.
"""

from collections import Counter
from typing import Literal

from websockets.protocol import Protocol

from jayx_stream.hub.counts import FAST_SECONDS, Histogram
from jayx_stream.model.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from jayx_stream.model.reasons import CloseCode, ErrorCode

Side = Literal["client", "server", "nobody"]
"""Who said goodbye first; nobody: the connection was cut."""

ABNORMAL = 1006
"""In place of a code when a connection ended without one (RFC 6455, 7.1.5)."""

OTHER = 0
"""In place of codes that clients make up."""

OK = "OK"
ASKED: dict[type[object], str] = {
    PlaceOrder: "order",
    AmendOrder: "amend",
    CancelOrder: "cancel",
    CancelAll: "cancelAll",
}

_ALWAYS_TOLD = (OK, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL)
"""Codes that alerts ask for: they have to be there before they are counted, to be seen to grow."""

_KNOWN_CODES = frozenset({1000, 1002, 1005, ABNORMAL, 1011, *CloseCode})


def ending(protocol: Protocol) -> tuple[int, Side]:
    """The close code of a connection that is over, and who said it first."""
    sent, received = protocol.close_sent, protocol.close_rcvd
    if received is not None and (sent is None or protocol.close_rcvd_then_sent):
        return received.code, "client"
    return (ABNORMAL, "nobody") if sent is None else (sent.code, "server")


class DoorCounts:
    """Of one door for streams."""

    def __init__(self) -> None:
        self.opened = 0
        """Connections that were let in."""
        self.closed: Counter[tuple[int, Side]] = Counter(
            {(int(code), "server"): 0 for code in CloseCode}
        )
        """Of them, those that ended, by code and by who closed."""
        self.refused: Counter[int] = Counter()
        """Handshakes by the HTTP status that they were refused with."""

    def close(self, code: int, by: Side) -> None:
        """Count an end."""
        self.closed[code if code in _KNOWN_CODES else OTHER, by] += 1


class OrderCounts:
    """Of all doors that take orders."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, str]] = Counter(
            {(asked, code): 0 for asked in ASKED.values() for code in _ALWAYS_TOLD}
        )
        """By what was asked, as the streams' events are called, and the answer's code."""
        self.seconds = Histogram(FAST_SECONDS)
        """From a request that was read to its answer, which is after the disk's sync."""

    def answer(self, command: object, code: str, seconds: float) -> None:
        """Count one that was answered."""
        self.answered[ASKED[type(command)], code] += 1
        self.seconds.observe(seconds)

    def refuse(self, command: object, code: str) -> None:
        """Count one that the exchange was not asked for."""
        self.answered[ASKED[type(command)], code] += 1
