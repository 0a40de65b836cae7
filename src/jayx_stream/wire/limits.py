"""Limits on what one client may do (protocol §10). 0 switches one off."""

from msgspec import Struct


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


class TokenBucket:
    """So many a second, and `burst` at once after a rest. A rate of 0 lets all through."""

    __slots__ = ("_at_s", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: int, burst: int) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1)
        self._tokens = self._burst * 1_000_000
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Take one, if there is one; `now_s` never goes back."""
        if self._per_s == 0:
            return True
        gained = int((now_s - self._at_s) * self._per_s * 1_000_000)
        self._at_s = now_s
        self._tokens = min(self._burst * 1_000_000, self._tokens + gained)
        if self._tokens < 1_000_000:
            return False
        self._tokens -= 1_000_000
        return True
