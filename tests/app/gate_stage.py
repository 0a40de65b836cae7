"""A gate on a stage: keys that are known, and clocks that stand until they are set."""

import hmac
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jayx_stream.app.gate import VenueGate
from jayx_stream.app.vault import Vault
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.projections.keys import AllKeys
from jayx_stream.wire.access import Caller, Signature
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from tests.desk.commands import BTCUSDT

NOW_MS = 1_716_131_619_042
SECRET = b"alice-secret"
ORDER = b'POST/api/v1/trader/order{"symbol":"BTCUSDT"}'
STREAM = b"GET/stream/positions"
READ, TRADE = Permission.READ, Permission.TRADE
VAULT = Vault(bytes(32))
PAIR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WRONG = "UNAUTHORIZED: unknown key, or the signature does not fit"


def key(text: str, account: str, *permissions: Permission, **more: Any) -> Key:
    """An HMAC key with `SECRET`, unless `more` says otherwise."""
    digest = sha256(text.encode()).digest()
    material = VAULT.encrypt(SECRET, digest)
    fields = {"kind": KeyKind.HMAC, "material": material, **more}
    return Key(digest=digest, account=account, permissions=permissions, **fields)


class Stage:
    """A gate whose clocks stand until they are set."""

    def __init__(self, limits: Limits | None = None, *, signed_streams: bool = False) -> None:
        self.now_ms = NOW_MS
        self.now_s = 50.0
        self.keys = AllKeys()
        self.gate = VenueGate(
            limits or Limits(failed_keys_per_min=3),
            {"BTCUSDT": BTCUSDT},
            self.keys,
            VAULT,
            signed_streams=signed_streams,
            clock=lambda: self.now_ms * NS_PER_MS,
            monotonic_s=lambda: self.now_s,
        )
        public = PAIR.public_key().public_bytes_raw()
        for each in (
            key("alicekey", "alice", READ, TRADE),
            key("bobreads", "bob", READ),
            key("onlytrades", "carol", TRADE),
            key("office", "alice", READ, TRADE, networks=("192.0.2.0/24", "2001:db8::/32")),
            key("careful", "bob", READ, signed_streams=True),
            key("pair", "alice", READ, TRADE, kind=KeyKind.ED25519, material=public),
        ):
            self.keys.add(each, NOW_MS * NS_PER_MS)

    def revoke(self, api_key: str) -> None:
        """Let a key in no more."""
        self.keys.revoke(sha256(api_key.encode()).digest()[:6].hex(), NOW_MS * NS_PER_MS)

    def caller(
        self, signature: Signature, *, address: str = "here", to: Permission = TRADE
    ) -> Caller:
        """Who signed."""
        return self.gate.check(signature, address, to)

    def check(self, signature: Signature, *, address: str = "here", to: Permission = TRADE) -> str:
        """The account of who signed."""
        return self.caller(signature, address=address, to=to).account

    def refusal(
        self, signature: Signature, *, address: str = "here", to: Permission = TRADE
    ) -> str:
        """Code and reason of a signature that is refused."""
        with pytest.raises(ProtocolError) as caught:
            self.check(signature, address=address, to=to)
        return str(caught.value)

    def read(self, api_key: str, signature: Signature | None = None, address: str = "here") -> str:
        """The account that the key may read."""
        return self.gate.reader(api_key, signature, address).account

    def key_refusal(
        self, api_key: str, address: str = "here", signature: Signature | None = None
    ) -> str:
        """Code and reason of a key that is refused for reading."""
        with pytest.raises(ProtocolError) as caught:
            self.read(api_key, signature, address)
        return str(caught.value)


def signed(
    timestamp: object = NOW_MS,
    *,
    key: str = "alicekey",
    secret: bytes = SECRET,
    signed: bytes = ORDER,
    window_ms: int = 5000,
    window_is_signed: bool = True,
) -> Signature:
    """A request as its client signs it: timestamp, METHOD, path and body."""
    text = str(timestamp)
    sign = b64encode(hmac.digest(secret, text.encode() + signed, "sha256")).decode()
    return Signature(key, text, sign, signed, window_ms, window_is_signed)


def signed_by_pair(
    timestamp: int = NOW_MS, *, pair: Ed25519PrivateKey = PAIR, signed: bytes = ORDER
) -> Signature:
    """The same with an Ed25519 key."""
    sign = b64encode(pair.sign(str(timestamp).encode() + signed)).decode()
    return Signature("pair", str(timestamp), sign, signed)


def changed(signature: Signature, **fields: object) -> Signature:
    """The same with a part that is not what was signed."""
    parts = {name: getattr(signature, name) for name in signature.__struct_fields__}
    return Signature(**{**parts, **fields})
