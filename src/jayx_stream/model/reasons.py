"""Every code with its sentence: why a request was refused, why a connection was closed (protocol §10)."""

from enum import IntEnum, StrEnum

from msgspec import Struct


class ErrorCode(StrEnum):
    """Stable codes for programs; the reason beside a code is for people."""

    BAD_JSON = "BAD_JSON"
    """The text is not JSON."""
    BAD_REQUEST = "BAD_REQUEST"
    """The request has not the form that its event or path asks for."""
    UNKNOWN_EVENT = "UNKNOWN_EVENT"
    UNKNOWN_CATEGORY = "UNKNOWN_CATEGORY"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    BAD_INTERVAL = "BAD_INTERVAL"
    BAD_PRECISE = "BAD_PRECISE"
    BAD_DEPTH = "BAD_DEPTH"
    UNAUTHORIZED = "UNAUTHORIZED"
    """Unknown key, revoked key or wrong signature: one code for all three."""
    FORBIDDEN = "FORBIDDEN"
    """The key is good, but may not do this."""
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS"
    NOT_SUBSCRIBED = "NOT_SUBSCRIBED"
    BAD_ORDER = "BAD_ORDER"
    """A size, price or type that the instrument does not take."""
    CLIENT_ORDER_ID_USED = "CLIENT_ORDER_ID_USED"
    """The account placed a different order under this name before."""
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    MARKET_HALTED = "MARKET_HALTED"
    WOULD_TAKE = "WOULD_TAKE"
    """A POST_ONLY order that would not have rested."""
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    UNAVAILABLE = "UNAVAILABLE"
    """The exchange is starting, stopping, or behind; nothing was done."""
    INTERNAL = "INTERNAL"
    """Our fault."""


class CloseCode(IntEnum):
    """WebSocket close codes that the server sends of its own accord."""

    NORMAL = 1000
    """A Socket.IO client closed its session."""
    GOING_AWAY = 1001
    """The server is stopping."""
    UNSUPPORTED_DATA = 1003
    """A binary frame came; only text is spoken here."""
    INVALID_DATA = 1007
    """The text is not UTF-8."""
    POLICY = 1008
    """One message came in too many fragments, or what came is no Socket.IO."""
    TOO_BIG = 1009
    """A request is over the limit."""
    KEY_REVOKED = 4001
    """A key that the connection was let in by was revoked."""
    SLOW_READER = 4008
    """More waits for this reader than is kept: what may not be merged exceeded its bound."""
    FLOODING = 4029
    """Requests kept coming after the rate limit refused several in a row."""


class Refused(Struct, frozen=True):
    """An answer: nothing was done, and this is why."""

    code: ErrorCode
    reason: str
    """For people; says what was wrong with which value."""
