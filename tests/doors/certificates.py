"""Certificates made for tests: an authority, and what it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

DAY = timedelta(days=1)
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in allowed for each in USAGES})


class Authority:
    """Signs certificates for this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = generate_private_key(SECP256R1())
        self._name = name("test authority")
        public = self._key.public_key()
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 300 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, SHA256())
        )
        self.path = folder / "ca.pem"
        self.path.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def sign(
        self,
        stem: str = "server",
        *,
        begins: timedelta = -DAY,
        ends: timedelta = 90 * DAY,
        passphrase: bytes | None = None,
    ) -> tuple[Path, Path]:
        """Files with a certificate for localhost and 127.0.0.1, and with its key."""
        key = generate_private_key(SECP256R1())
        cert_path, key_path = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        cert_path.write_bytes(self._signed(stem, key, begins, ends).public_bytes(Encoding.PEM))
        how = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
        key_path.write_bytes(text)
        return cert_path, key_path

    def _signed(
        self, stem: str, key: EllipticCurvePrivateKey, begins: timedelta, ends: timedelta
    ) -> x509.Certificate:
        now, public = datetime.now(UTC), key.public_key()
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        crl = x509.UniformResourceIdentifier("http://ca.example.org/list.crl")
        ocsp = x509.UniformResourceIdentifier("http://ca.example.org/ocsp")
        point = x509.DistributionPoint([crl], None, None, None)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp)
        authority = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        from_issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            authority.value
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name(stem))
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.CRLDistributionPoints([point]), critical=False)
            .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(from_issuer, critical=False)
            .sign(self._key, SHA256())
        )
