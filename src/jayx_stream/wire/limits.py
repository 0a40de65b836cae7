"""Limits on what one client may do (protocol §10). 0 switches one off."""

from math import ceil

from msgspec import Struct

READ_BYTES = 4096
"""Of one client, looked at together. All that a socket gives at once would be the smallest of messages for
most of a second; so a flood is met, and ended, after this many of its bytes.
"""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Every bound of the stream and REST doors; the `[limits]` of the configuration."""

    request_bytes: int = 65_536
    """Of one request, all its fragments together."""
    request_fragments: int = 64
    requests_per_s: int = 50
    """Per connection."""
    requests_burst: int = 200
    streams_per_connection: int = 200
    connections_per_address: int = 200
    """Of all kinds: WebSocket, and HTTP while it is open. An IPv6 address counts with its /64."""
    http_requests_per_s: int = 100
    """Per address, upgrades included; `/health` and `/ready` are free."""
    http_requests_burst: int = 500
    failed_keys_per_min: int = 10
    """Per address; then no key is looked at for a minute."""
    orders_per_s: int = 50
    """Per account, as many at once as in a second."""
    open_orders_per_account: int = 20_000
    handshake_s: int = 5
    """From the connection to the end of the request's head, and from there to the end of its body."""
    header_bytes: int = 8192
    ping_after_s: int = 20
    """Without a word from the client."""
    pong_within_s: int = 20
    queue_bytes: int = 1_048_576
    """Waiting for one reader before its state streams are merged."""
    queue_bytes_max: int = 4_194_304
    """Of what may not be merged, before the reader is closed."""
    drain_s: int = 10
    """At most, from the notice of a stop to the last connection's close."""


class Allowance(Struct, frozen=True):
    """What is left of a rate, as HTTP's headers tell it."""

    limit: int
    """At once, after a rest."""
    left: int
    reset_s: int
    """Until nothing is missing from the limit; whole seconds, rounded up."""
    retry_after_s: int
    """Until there is one again, 0 if there is one; whole seconds, rounded up."""


class TokenBucket:
    """So many a second, and `burst` at once after a rest. A rate of 0 lets all through.

    Times are seconds of a clock that never goes back.
    """

    __slots__ = ("_at_s", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: int, burst: int) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1)
        self._tokens = self._burst * _WHOLE
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Take one, if there is one."""
        if self._per_s == 0:
            return True
        self._tokens = self._tokens_at(now_s)
        self._at_s = now_s
        if self._tokens < _WHOLE:
            return False
        self._tokens -= _WHOLE
        return True

    def left(self, now_s: float) -> int:
        """How many could be taken at once."""
        return self._tokens_at(now_s) // _WHOLE

    def wait_s(self, now_s: float, wanted: int = 1) -> float:
        """How long until `wanted` can be taken at once; no more than `burst` ever can."""
        missing = min(wanted, self._burst) * _WHOLE - self._tokens_at(now_s)
        return max(missing, 0) / (self._per_s * _WHOLE) if self._per_s else 0.0

    def allowance(self, now_s: float) -> Allowance | None:
        """What is left now; None if there is no limit."""
        if self._per_s == 0:
            return None
        return Allowance(
            self._burst,
            self.left(now_s),
            ceil(self.wait_s(now_s, self._burst)),
            ceil(self.wait_s(now_s)),
        )

    def _tokens_at(self, now_s: float) -> int:
        gained = int((now_s - self._at_s) * self._per_s * _WHOLE)
        return min(self._burst * _WHOLE, self._tokens + gained)


_WHOLE = 1_000_000
"""Parts of one token."""
