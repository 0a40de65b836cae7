"""Key: what the venue keeps of an API key. Rule: nobody who reads it can use the key, or sign with it."""

from enum import StrEnum

from msgspec import Struct


class KeyKind(StrEnum):
    """How requests are signed with a key (protocol §9)."""

    HMAC = "HMAC"
    """HMAC-SHA256 under a secret that both sides hold."""
    ED25519 = "ED25519"
    """The server holds the public half only."""


class Permission(StrEnum):
    """What a key may be used for."""

    READ = "read"
    TRADE = "trade"


class Key(Struct, frozen=True, array_like=True):
    """A key without the key itself: it is looked up by its hash."""

    digest: bytes
    """SHA-256 of the key's text."""
    account: str
    kind: KeyKind
    material: bytes
    """HMAC: the secret, encrypted under the venue's master key. ED25519: the public half, 32 bytes."""
    permissions: tuple[Permission, ...]
    networks: tuple[str, ...] = ()
    """Whence it may be used, in CIDR notation; empty: from everywhere."""
    signed_streams: bool = False
    """Whether its private streams want a signature too."""
    label: str = ""
    """The operator's own words."""

    @property
    def key_id(self) -> str:
        """Names the key where people or logs can see it: 12 hex digits that say nothing of it."""
        return self.digest[:6].hex()
