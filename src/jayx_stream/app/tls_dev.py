"""A self-signed certificate for development: `--tls-dev`.

Rule: it is the server's own name alone, for a month, and never leaves its folder but as public half.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

GOOD_FOR = timedelta(days=30)

RENEWED_BEFORE = timedelta(days=7)
"""Its end: whoever trusts it by hand has this long to be asleep."""

_BACKDATED = timedelta(hours=1)
"""For clients whose clock is behind."""


class DevCertificate(Struct, frozen=True):
    """Where the certificate is."""

    cert: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, in hex with colons, as browsers and openssl show it."""


def dev_certificate(data_dir: Path, host: str) -> DevCertificate:
    """The certificate that is there, or a new one if it is not, is damaged, is for other hosts or about
    to expire. Raises OSError.
    """
    folder = data_dir / "tls-dev"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    certificate = _usable(cert, key, host)
    if certificate is None:
        certificate = _make(cert, key, host)
    fingerprint = certificate.fingerprint(SHA256()).hex(":").upper()
    return DevCertificate(cert, key, fingerprint)


def _usable(cert: Path, key: Path, host: str) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(cert.read_bytes())
        private = load_pem_private_key(key.read_bytes(), password=None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, x509.ExtensionNotFound):
        return None
    is_whole = certificate.public_key() == private.public_key()
    is_ours = list(names) == list(_names(host))
    is_fresh = certificate.not_valid_after_utc - RENEWED_BEFORE > datetime.now(UTC)
    return certificate if is_whole and is_ours and is_fresh else None


def _make(cert: Path, key: Path, host: str) -> x509.Certificate:
    private = generate_private_key(SECP256R1())
    public = private.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jayx-stream for development")])
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(list(_names(host))), critical=False)
        # It can vouch for nothing but itself: who trusts it trusts this server alone.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, SHA256())
    )
    # The key first: a certificate without its key is not usable, and made again.
    _write(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(cert, certificate.public_bytes(Encoding.PEM))
    return certificate


def _names(host: str) -> Iterator[x509.GeneralName]:
    """This machine to itself, and the configured host."""
    for text in dict.fromkeys(("localhost", "127.0.0.1", "::1", host)):
        try:
            yield x509.IPAddress(ip_address(text))
        except ValueError:
            yield x509.DNSName(text.encode("idna").decode())


def _write(path: Path, text: bytes) -> None:
    """Whole or not at all, and for the server's user alone from the beginning."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    new.replace(path)
