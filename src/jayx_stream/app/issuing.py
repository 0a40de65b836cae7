"""How keys are made: from the configuration's words, or new ones at random. Rule: what stays is a `Key`,
and whoever is to use it is told the rest once.
"""

import binascii
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from ipaddress import ip_network
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from jayx_stream.app.vault import Vault
from jayx_stream.doors.operator_forms import Issued, KeyRequest
from jayx_stream.model.key import Key, KeyKind, Permission

API_KEY_BYTES = 18
"""Random; protocol §9 wants 16 at least."""

SECRET_BYTES = 32
NETWORKS_MAX = 64
LABEL_MAX = 100
"""Characters."""

T = TypeVar("T")


def digest_of(api_key: str) -> bytes:
    """What a key is looked up by."""
    return sha256(api_key.encode("utf-8", "replace")).digest()


def issue(request: KeyRequest, vault: Vault) -> Issued:
    """A new key, of chance. Raises ValueError that names the value at fault."""
    api_key = secrets.token_urlsafe(API_KEY_BYTES)
    is_hmac = request.kind.upper() == KeyKind.HMAC
    secret = secrets.token_urlsafe(SECRET_BYTES) if is_hmac else None
    key = make_key(request, vault, api_key=api_key, secret=secret)
    return Issued(key, api_key, secret)


def make_key(request: KeyRequest, vault: Vault, *, api_key: str, secret: str | None) -> Key:
    """The key as it is kept. Raises ValueError that names the value at fault, and never a secret."""
    for name, reason in check_key(request, secret):
        raise ValueError(f"{name}: {reason}")
    digest = digest_of(api_key)
    if secret is not None:
        material = vault.encrypt(secret.encode(), digest)
    else:
        assert request.public_key is not None, "check_key saw to it"
        material = read_public_key(request.public_key)
    return Key(
        digest=digest,
        account=request.account,
        kind=read_kind(request.kind),
        material=material,
        permissions=read_permissions(request.permissions),
        networks=read_networks(request.networks),
        signed_streams=request.signed_streams,
        label=request.label,
    )


def check_key(request: KeyRequest, secret: str | None) -> Iterator[tuple[str, str]]:
    """What can't be: name and reason."""
    yield from _fault("kind", read_kind, request.kind)
    if request.kind.upper() == KeyKind.HMAC:
        if not secret:
            yield "secret", "an hmac key needs one"
        if request.public_key is not None:
            yield "public_key", "an hmac key has none"
    elif request.kind.upper() == KeyKind.ED25519:
        if secret is not None:
            yield "secret", "an ed25519 key has none here: its holder keeps it"
        if request.public_key is None:
            yield "public_key", "an ed25519 key needs one"
        else:
            yield from _fault("public_key", read_public_key, request.public_key)
    yield from _fault("permissions", read_permissions, request.permissions)
    yield from _fault("networks", read_networks, request.networks)
    if len(request.label) > LABEL_MAX or not request.label.isprintable():
        yield "label", f"it is not up to {LABEL_MAX} printable characters"


def _fault(name: str, read: Callable[[T], object], value: T) -> Iterator[tuple[str, str]]:
    try:
        read(value)
    except ValueError as error:
        yield name, str(error)


def read_kind(text: str) -> KeyKind:
    """Raises ValueError."""
    try:
        return KeyKind(text.upper())
    except ValueError:
        raise ValueError(f"no kind {text!r}; there are hmac, ed25519") from None


def read_permissions(texts: Iterable[str]) -> tuple[Permission, ...]:
    """Each once, in the order in which the protocol has them. Raises ValueError."""
    given = set(texts)
    unknown = sorted(given - set(Permission))
    if unknown:
        there = ", ".join(Permission)
        raise ValueError(f"no permission {', '.join(unknown)}; there are {there}")
    if not given:
        raise ValueError("a key needs a permission")
    return tuple(each for each in Permission if each in given)


def read_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Addresses and networks, as networks in CIDR notation. Raises ValueError."""
    networks = [str(ip_network(text)) for text in texts]
    if len(networks) > NETWORKS_MAX:
        raise ValueError(f"{len(networks)} networks; {NETWORKS_MAX} are allowed")
    return tuple(networks)


def read_public_key(text: str) -> bytes:
    """The public half of an Ed25519 key, PEM or base64 of its 32 bytes. Raises ValueError."""
    wrong = ValueError("it is not Ed25519, as PEM or as base64 of its 32 bytes")
    if "-----" in text:
        try:
            loaded = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise wrong from None
        if not isinstance(loaded, Ed25519PublicKey):
            raise wrong
        return loaded.public_bytes_raw()
    try:
        raw = b64decode(text.strip().encode("ascii"), validate=True)
        return Ed25519PublicKey.from_public_bytes(raw).public_bytes_raw()
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise wrong from None
