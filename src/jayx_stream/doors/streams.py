"""Everyone who is connected to streams, by whatever path and transport (protocol §2).

Rule: who comes in is in one set here from the handshake to the end.
"""

from starlette.types import Scope

from jayx_stream.doors import Venue
from jayx_stream.doors.deflate import OFFERED
from jayx_stream.doors.rates import AddressLimits
from jayx_stream.doors.raw import RawDoor
from jayx_stream.doors.speaking import Connection, Door
from jayx_stream.doors.visitors import Visitors
from jayx_stream.doors.watching import Watch
from jayx_stream.model.reasons import CloseCode

REVOKED_WITHIN_S = 0.5
"""For a goodbye where a key was revoked: what it let in ends within a second (protocol §9)."""

MAIN_PATH = "/"


class WebSocketDoor:
    """All connections to streams; the listener's HTTP opens one for each upgrade."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.paths: dict[str, Door] = {MAIN_PATH: RawDoor()}
        """What is spoken where."""
        self.connections: set[Connection] = set()
        """Everyone who is connected; other doors put theirs here, too."""
        self.addresses = AddressLimits(venue.limits)
        """Who is connected, and how often each asks."""
        self.extensions = [OFFERED] if venue.deflate else []
        """What may be agreed on in a handshake."""
        self.watch = Watch()
        """For those who say nothing."""

    @property
    def visitors(self) -> dict[str, Visitors]:
        """Of every path, by their door's name."""
        return {each.visitors.door: each.visitors for each in self.paths.values()}

    def revoke(self, key_id: str) -> int:
        """Close every connection that a key let in, and tell it nothing more; gives how many."""
        revoked = [each for each in self.connections if each.was_let_in_by(key_id)]
        for connection in revoked:
            reason = "the key was revoked"
            connection.close(CloseCode.KEY_REVOKED, reason, within_s=REVOKED_WITHIN_S)
        return len(revoked)

    def note_refusal(self, status: int, address: str, path: str = MAIN_PATH) -> None:
        """A connection was refused with this HTTP status, here or before it came here."""
        door = self.paths.get(path) or self.paths[MAIN_PATH]
        door.visitors.refuse(status, address)

    def is_asked_by_client(self, scope: Scope) -> bool:
        """Whether a request over HTTP is of a client who is in already: its own rate bounds it."""
        door = self.paths.get(scope["path"])
        return door is not None and door.is_asked_by_client(scope["method"], scope["query_string"])
