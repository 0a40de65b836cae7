"""TLS of the public port: what is spoken, and a certificate that can be renewed while it is in use.

Rule: a pair of files is taken whole or not at all. If the new one is bad, the old one stays.
"""

import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

log = logging.getLogger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2, whose other suites have CBC, no forward secrecy, or both. All of TLS 1.3's are good."""


class TlsError(Exception):
    """The files can't be used; the message names the one at fault."""


class ServerTls:
    """A certificate with its key, as connections get to see it from now on.

    `context` is for the listener, once; `reload` changes what is behind it.
    """

    def __init__(self, cert: Path, key: Path, *, is_strictly_secure: bool = True) -> None:
        """Raises TlsError. `is_strictly_secure`: browsers are told never to come without TLS again."""
        self._cert = cert
        self._key = key
        self.is_strictly_secure = is_strictly_secure
        self._current = self.context = _read(cert, key)
        # Of a handshake that has begun OpenSSL takes certificate and key from here. Loading new files
        # into a context in use would have them apart for a moment, and for good if the key is bad.
        self.context.sni_callback = self._present

    def reload(self) -> None:
        """Read the files again, for the connections to come. Raises TlsError, and then nothing changed."""
        self._current = _read(self._cert, self._key)

    def _present(
        self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> None:
        """Called in every handshake, whether or not the client names a host."""
        connection.context = self._current


def _read(cert: Path, key: Path) -> ssl.SSLContext:
    _check(cert, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a passphrase was refused; without one OpenSSL would ask at the terminal.
        context.load_cert_chain(cert, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"tls_cert {cert} and tls_key {key} can't be used: {error}") from error
    return context


def _check(cert: Path, key: Path) -> None:
    """Say which file is at fault, which OpenSSL doesn't. Raises TlsError."""
    certificate = _certificate(cert)
    if _bytes(certificate.public_key()) != _bytes(_public_half(key)):
        raise TlsError(f"tls_key {key} is not the key of tls_cert {cert}")
    now = datetime.now(UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        log.warning("tls_cert %s expired at %s: clients will refuse it", cert, end)
    elif now < begin:
        log.warning("tls_cert %s is not valid before %s: clients will refuse it", cert, begin)


def _certificate(path: Path) -> x509.Certificate:
    """The first of the file: the server's own."""
    try:
        return x509.load_pem_x509_certificates(_text("tls_cert", path))[0]
    except ValueError as error:
        raise TlsError(f"tls_cert {path} has no certificate in PEM: {error}") from error


def _public_half(path: Path) -> PublicKeyTypes:
    try:
        return load_pem_private_key(_text("tls_key", path), password=None).public_key()
    except TypeError as error:
        reason = f"tls_key {path} has a passphrase; the server can't ask for it: take it off"
        raise TlsError(reason) from error
    except ValueError as error:
        raise TlsError(f"tls_key {path} has no private key in PEM: {error}") from error


def _text(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{name} {path}: {error.strerror}") from error


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
