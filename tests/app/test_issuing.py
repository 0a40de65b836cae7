"""Keys as they are made: what stays of them, and what is refused."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jayx_stream.app.issuing import issue
from jayx_stream.app.vault import Vault
from jayx_stream.doors.operator_forms import KeyRequest
from jayx_stream.model.key import KeyKind, Permission

VAULT = Vault(bytes(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
RAW = PUBLIC.public_bytes_raw()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OTHER_PEM = (
    generate_private_key(SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def request(**fields: Any) -> KeyRequest:
    return KeyRequest(**{"account": "alice", **fields})


def test_an_hmac_key_is_kept_as_its_hash_and_an_encrypted_secret() -> None:
    issued = issue(request(permissions=("trade", "read", "read"), label="bot 7"), VAULT)
    key = issued.key
    assert key.digest == sha256(issued.api_key.encode()).digest()
    assert issued.secret is not None
    assert VAULT.decrypt(key.material, key.digest) == issued.secret.encode()
    assert (key.account, key.kind, key.label) == ("alice", KeyKind.HMAC, "bot 7")
    assert key.permissions == (Permission.READ, Permission.TRADE)
    assert issued.secret.encode() not in key.material


def test_no_two_keys_are_alike_and_none_can_be_guessed() -> None:
    made = [issue(request(), VAULT) for _ in range(100)]
    assert len({each.api_key for each in made}) == len({each.secret for each in made}) == 100
    assert all(len(each.api_key) == 24 and len(each.secret or "") == 43 for each in made)


@pytest.mark.parametrize("text", [PEM, b64encode(RAW).decode(), f"{b64encode(RAW).decode()}\n"])
@pytest.mark.parametrize("kind", ["ed25519", "ED25519"])
def test_of_an_ed25519_key_the_public_half_is_kept(text: str, kind: str) -> None:
    issued = issue(request(kind=kind, public_key=text), VAULT)
    assert (issued.key.kind, issued.key.material) == (KeyKind.ED25519, RAW)
    assert issued.secret is None


def test_addresses_are_kept_as_networks() -> None:
    issued = issue(request(networks=("192.0.2.7", "10.0.0.0/8", "2001:DB8::/32")), VAULT)
    assert issued.key.networks == ("192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "rsa"}, "kind: no kind 'rsa'; there are hmac, ed25519"),
        ({"permissions": ()}, "permissions: a key needs a permission"),
        ({"permissions": ("withdraw", "x")}, "permissions: no permission withdraw, x; there are "),
        ({"networks": ("x",)}, "networks: 'x' does not appear to be an IPv4 or IPv6 network"),
        ({"networks": ("10.0.0.1/8",)}, "networks: 10.0.0.1/8 has host bits set"),
        ({"networks": ("::1",) * 65}, "networks: 65 networks; 64 are allowed"),
        ({"label": "x" * 101}, "label: it is not up to 100 printable characters"),
        ({"label": "\x1b[2J"}, "label: it is not up to 100 printable characters"),
        ({"public_key": PEM}, "public_key: an hmac key has none"),
        ({"kind": "ed25519"}, "public_key: an ed25519 key needs one"),
        *(
            ({"kind": "ed25519", "public_key": text}, "public_key: it is not Ed25519, as PEM or ")
            for text in ("", "x", "é", b64encode(RAW[1:]).decode(), OTHER_PEM, PEM[:40], "-----")
        ),
    ],
)
def test_what_can_not_be_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^\w+: ") as caught:
        issue(request(**fields), VAULT)
    assert str(caught.value).startswith(said)
