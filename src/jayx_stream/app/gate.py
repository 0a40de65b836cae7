"""Who may come in: keys, signatures, and how often an address may be wrong (protocol §9, §10)."""

import hmac
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Container
from hashlib import sha256

from msgspec import Struct

from jayx_stream.app.clock import Clock, system_clock
from jayx_stream.doors import Signature
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits, TokenBucket

SIGNATURES_MAX = 1_000_000
"""Used signatures remembered at once; each for as long as its timestamp is good."""

BLOCK_S = 60.0
"""For which an address with too many failures is not listened to."""

ADDRESSES_MAX = 100_000
"""Addresses whose failures are remembered; the oldest are forgotten."""


class Key(Struct, frozen=True):
    """An API key, without the key itself: it is looked up by its hash."""

    account: str
    secret: bytes
    permissions: frozenset[str]
    """Of `read` and `trade`."""


class Failures(Struct):
    """What an address got wrong lately."""

    count: int
    since_s: float


class VenueGate:
    """See `doors.Gate`. Signatures are checked by the machine's clock, whatever the venue's says."""

    def __init__(
        self,
        limits: Limits,
        instruments: dict[str, Instrument],
        *,
        clock: Clock = system_clock,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._instruments = instruments
        self._keys: dict[bytes, Key] = {}
        self._failures: OrderedDict[str, Failures] = OrderedDict()
        self._used: OrderedDict[tuple[str, str], int] = OrderedDict()
        """Signatures by when they expire, nearly in that order."""
        self._orders: dict[str, TokenBucket] = {}

    @property
    def symbols(self) -> Container[str]:
        """See `wire.Directory`."""
        return self._instruments

    def add(self, api_key: str, key: Key) -> None:
        """Let a key in from now on."""
        self._keys[_hash(api_key)] = key

    def account_of(self, api_key: str, address: str) -> str:
        """See `wire.Directory`."""
        return self._permitted(self._look_up(api_key, address), "read").account

    def check(self, signature: Signature, address: str, permission: str) -> str:
        """See `doors.Gate`."""
        key = self._look_up(signature.api_key, address)
        signed = signature.timestamp.encode() + signature.signed
        expected = b64encode(hmac.digest(key.secret, signed, "sha256"))
        if not hmac.compare_digest(expected, signature.sign.encode("utf-8", "replace")):
            self._fail(address)
            raise _unauthorized()
        self._check_time(signature)
        return self._permitted(key, permission).account

    def take_order(self, account: str) -> bool:
        """See `doors.Gate`."""
        per_s = self._limits.orders_per_s
        bucket = self._orders.get(account)
        if bucket is None:
            bucket = self._orders[account] = TokenBucket(per_s, per_s)
        return bucket.take(self._monotonic_s())

    def _look_up(self, api_key: str, address: str) -> Key:
        limit, failures = self._limits.failed_keys_per_min, self._failures.get(address)
        if failures is not None and self._monotonic_s() - failures.since_s >= BLOCK_S:
            del self._failures[address]
        elif failures is not None and 0 < limit <= failures.count:
            reason = f"{failures.count} wrong keys or signatures came from {address}: wait a minute"
            raise ProtocolError(ErrorCode.RATE_LIMITED, reason)
        key = self._keys.get(_hash(api_key))
        if key is None:
            self._fail(address)
            raise _unauthorized()
        return key

    def _fail(self, address: str) -> None:
        failures = self._failures.setdefault(address, Failures(0, self._monotonic_s()))
        failures.count += 1
        if failures.count == self._limits.failed_keys_per_min:
            failures.since_s = self._monotonic_s()
        if len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)

    def _check_time(self, signature: Signature) -> None:
        now_ms = self._clock() // NS_PER_MS
        text = signature.timestamp
        timestamp_ms = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        if abs(now_ms - timestamp_ms) > signature.window_ms:
            reason = (
                f"timestamp {text} is more than {signature.window_ms} ms off "
                f"the server's clock, {now_ms}"
            )
            raise ProtocolError(ErrorCode.UNAUTHORIZED, reason)
        while self._used and next(iter(self._used.values())) < now_ms:
            self._used.popitem(last=False)
        used = (signature.api_key, signature.sign)
        if used in self._used:
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "this signature was used before")
        if len(self._used) >= SIGNATURES_MAX:
            reason = f"{SIGNATURES_MAX} signatures are remembered already"
            raise ProtocolError(ErrorCode.UNAVAILABLE, reason)
        self._used[used] = timestamp_ms + signature.window_ms

    @staticmethod
    def _permitted(key: Key, permission: str) -> Key:
        if permission not in key.permissions:
            granted = ", ".join(sorted(key.permissions))
            raise ProtocolError(
                ErrorCode.FORBIDDEN,
                f"this needs the permission {permission}; the key has {granted}",
            )
        return key


def _hash(api_key: str) -> bytes:
    return sha256(api_key.encode("utf-8", "replace")).digest()


def _unauthorized() -> ProtocolError:
    return ProtocolError(ErrorCode.UNAUTHORIZED, "unknown key, or the signature does not fit")
