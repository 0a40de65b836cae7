"""Who is connected at one door, what is counted there, and what the log says of it.

Rule: whoever enters leaves, once, however it ends.
"""

import logging
from collections.abc import Collection
from typing import Protocol

from jayx_stream.doors.counts import DoorCounts, Side
from jayx_stream.model.reasons import CloseCode

log = logging.getLogger("jayx_stream.streams")


class Visitor(Protocol):
    """One client at a door, whatever carries it."""

    address: str

    @property
    def waiting_bytes(self) -> int:
        """What the client has yet to read before it can be written more."""
        ...

    @property
    def key_ids(self) -> Collection[str]:
        """Of the keys that let it in, as far as it still reads or trades by them."""
        ...


class Visitors:
    """All clients of one door."""

    def __init__(self, door: str) -> None:
        """`door`: its name in figures and in the log."""
        self.door = door
        self.counts = DoorCounts()
        self.connections: set[Visitor] = set()
        """Those that are open."""

    def refuse(self, status: int, address: str) -> None:
        """Somebody was refused with this HTTP status."""
        self.counts.refused[status] += 1
        fields = {"door": self.door, "status": int(status), "address": address}
        log.info("handshake refused", extra=fields)

    def enter(self, visitor: Visitor) -> None:
        """Somebody was let in."""
        self.counts.opened += 1
        self.connections.add(visitor)

    def leave(self, visitor: Visitor, code: int, by: Side) -> None:
        """The end of somebody who was let in: the close code, and who said it."""
        self.connections.remove(visitor)
        self.counts.close(code, by)
        if by == "server" and code != CloseCode.GOING_AWAY:
            key_ids = ",".join(sorted(visitor.key_ids))
            fields = {"door": self.door, "code": int(code), "address": visitor.address}
            log.info("connection closed", extra={**fields, "key_ids": key_ids})
