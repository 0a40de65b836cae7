"""Who may come in: keys, signatures, whence, and how often an address may be wrong (protocol §9, §10).

Rule: an unknown key, a revoked one and a wrong signature are refused in the same words, and the first two
after the same work as a wrong HMAC signature.
"""

import binascii
import hmac
import logging
import time
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable, Container
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import ceil
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from jayx_stream.app.clock import Clock, system_clock
from jayx_stream.app.vault import Vault
from jayx_stream.doors.address import counted_as
from jayx_stream.model.commands import RememberSignature
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.wire.access import RECV_WINDOW_MAX_MS, Caller, Signature
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Allowance, Limits, TokenBucket

log = logging.getLogger("jayx_stream.gate")

SIGNATURES_MAX = 1_000_000
"""Used signatures remembered at once; each for as long as its timestamp is good."""

DIGEST_BYTES = 16
"""Of a key and a signature: enough that no two ever meet."""

BLOCK_S = 60.0
"""For which an address with too many failures is not listened to."""

ADDRESSES_MAX = 100_000
"""Addresses whose failures are remembered; the oldest are forgotten."""

NOBODY = bytes(32)
"""Stands for the digest of a key that isn't there."""


class StandingKeys(Protocol):
    """The keys that are let in; the projections' are."""

    def find(self, digest: bytes) -> Key | None:
        """The key of this SHA-256, unless it was revoked."""
        ...


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
        keys: StandingKeys,
        vault: Vault,
        *,
        signed_streams: bool = False,
        clock: Clock = system_clock,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`signed_streams`: private streams want a signature of every key."""
        self.failed_keys = 0
        """Unknown and revoked keys, wrong signatures, and keys from where they may not be used."""
        self._limits = limits
        self._instruments = instruments
        self._keys = keys
        self._vault = vault
        self._signed_streams = signed_streams
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._nobody = Key(
            NOBODY, "", KeyKind.HMAC, vault.encrypt(b"no key at all", NOBODY), permissions=()
        )
        self._failures: OrderedDict[str, Failures] = OrderedDict()
        self._used: OrderedDict[bytes, int] = OrderedDict()
        """Digests of signatures and when they expire, in milliseconds, in the order of their use."""
        self._orders: dict[str, TokenBucket] = {}

    @property
    def symbols(self) -> Container[str]:
        """See `wire.access.Directory`."""
        return self._instruments

    def reader(self, api_key: str, signature: Signature | None, address: str) -> Caller:
        """See `wire.access.Directory`."""
        if signature is not None:
            assert signature.api_key == api_key, "one request is by one key"
            return self.check(signature, address, Permission.READ)
        self._listen_to(address)
        if self._signed_streams:
            raise _unsigned("private streams want")
        key = self._keys.find(_hash(api_key))
        if key is None:
            raise self._failed(address)
        if key.signed_streams:
            raise _unsigned("the private streams of this key want")
        return self._let_in(key, address, Permission.READ, None)

    def check(self, signature: Signature, address: str, permission: Permission) -> Caller:
        """See `wire.access.Directory`. What only reads is remembered as used by this process alone."""
        self._listen_to(address)
        key = self._keys.find(_hash(signature.api_key))
        fits = self._fits(self._nobody if key is None else key, signature)
        if key is None or not fits:
            raise self._failed(address)
        used = self._use(signature)
        to_journal = used if permission == Permission.TRADE else None
        return self._let_in(key, address, permission, to_journal)

    def remember(self, digest: bytes, expires_ms: int) -> None:
        """A signature was used before the venue was started again."""
        self._used[digest] = expires_ms

    def take_order(self, account: str) -> bool:
        """See `doors.Gate`."""
        return self._bucket(account).take(self._monotonic_s())

    def order_allowance(self, account: str) -> Allowance | None:
        """See `doors.Gate`."""
        return self._bucket(account).allowance(self._monotonic_s())

    def _bucket(self, account: str) -> TokenBucket:
        bucket = self._orders.get(account)
        if bucket is None:
            per_s = self._limits.orders_per_s
            bucket = self._orders[account] = TokenBucket(per_s, per_s)
        return bucket

    def _listen_to(self, address: str) -> None:
        """Unless it was wrong too often."""
        limit, group = self._limits.failed_keys_per_min, counted_as(address)
        failures = self._failures.get(group)
        if failures is None:
            return
        rest_s = BLOCK_S - (self._monotonic_s() - failures.since_s)
        if rest_s <= 0:
            del self._failures[group]
        elif 0 < limit <= failures.count:
            reason = f"{failures.count} wrong keys or signatures came from {address}: wait a minute"
            raise ProtocolError(ErrorCode.RATE_LIMITED, reason, ceil(rest_s))

    def _failed(self, address: str) -> ProtocolError:
        """Count a failure; gives what is said to each."""
        self.failed_keys += 1
        failures = self._failures.setdefault(counted_as(address), Failures(0, self._monotonic_s()))
        failures.count += 1
        if failures.count == self._limits.failed_keys_per_min:
            failures.since_s = self._monotonic_s()
            log.warning("address is blocked", extra={"address": address, "seconds": int(BLOCK_S)})
        if len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)
        return ProtocolError(ErrorCode.UNAUTHORIZED, "unknown key, or the signature does not fit")

    def _fits(self, key: Key, signature: Signature) -> bool:
        """Whether the key's holder signed this."""
        signed = signature.timestamp.encode("utf-8", "replace") + signature.signed
        given = signature.sign.encode("utf-8", "replace")
        if key.kind is KeyKind.HMAC:
            secret = self._vault.decrypt(key.material, key.digest)
            expected = b64encode(hmac.digest(secret, signed, "sha256"))
            return hmac.compare_digest(expected, given)
        try:
            raw = b64decode(given, validate=True)
            Ed25519PublicKey.from_public_bytes(key.material).verify(raw, signed)
        except (binascii.Error, InvalidSignature):
            return False
        # Some bits of base64's last digit mean nothing: another text would be the same signature again.
        return b64encode(raw) == given

    def _let_in(
        self, key: Key, address: str, permission: Permission, used: RememberSignature | None
    ) -> Caller:
        """Whom the key stands for, if it may be used from there and for this."""
        if key.networks and not _is_within(address, key.networks):
            self.failed_keys += 1
            reason = f"this key may not be used from {address}"
            raise ProtocolError(ErrorCode.FORBIDDEN, reason)
        if permission not in key.permissions:
            granted = ", ".join(sorted(key.permissions))
            reason = f"this needs the permission {permission}; the key has {granted}"
            raise ProtocolError(ErrorCode.FORBIDDEN, reason)
        return Caller(key.account, key.key_id, key.permissions, used)

    def _use(self, signature: Signature) -> RememberSignature:
        """Check that the signature is good now and was never used, and use it up."""
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
        digest = _hash(f"{signature.api_key} {signature.sign}")[:DIGEST_BYTES]
        if digest in self._used:
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "this signature was used before")
        if len(self._used) >= SIGNATURES_MAX:
            reason = f"{SIGNATURES_MAX} signatures are remembered already"
            raise ProtocolError(ErrorCode.UNAVAILABLE, reason)
        good_for_ms = signature.window_ms if signature.window_is_signed else RECV_WINDOW_MAX_MS
        expires_ms = self._used[digest] = timestamp_ms + good_for_ms
        return RememberSignature(digest=digest, used_ms=now_ms, expires_ms=expires_ms)


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in _networks(networks))


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)


def _unsigned(who: str) -> ProtocolError:
    return ProtocolError(ErrorCode.UNAUTHORIZED, f"{who} timestamp and sign, and none came")


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "replace")).digest()
