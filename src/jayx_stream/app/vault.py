"""The vault: HMAC secrets, encrypted under the venue's master key. Rule: neither it nor they are ever shown.

A secret belongs to its key: the key's digest is the associated data, so that no secret of the journal can
stand in for another.
"""

import binascii
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jayx_stream.app.secret_file import SecretFileError, read_secret, write_secret

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
"""Random: by chance, two of 2³² secrets would meet once in some billion venues."""

ENVIRONMENT = "JAYX_MASTER_KEY"
FILE_NAME = "master.key"


class VaultError(Exception):
    """There is no usable master key, or it is not the one that a secret was encrypted under; the
    message says which, and nothing of either.
    """


class Vault:
    """Encrypts under one master key."""

    def __init__(
        self, master_key: bytes, source: str = "this process alone", to_make: Path | None = None
    ) -> None:
        """`source` says whence the key is. With `to_make` it is a new one, for a file that isn't there."""
        self.source = source
        self._cipher = AESGCM(master_key)
        self._new = (to_make, master_key) if to_make is not None else None

    @classmethod
    def of_this_process(cls) -> "Vault":
        """One whose master key ends with the process: for journals that do, too."""
        return cls(secrets.token_bytes(MASTER_KEY_BYTES))

    def encrypt(self, secret: bytes, digest: bytes) -> bytes:
        """The secret of the key with this digest, fit for the journal."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, digest)

    def decrypt(self, material: bytes, digest: bytes) -> bytes:
        """The secret. Raises VaultError if it was encrypted under another key, or for another digest."""
        try:
            return self._cipher.decrypt(material[:NONCE_BYTES], material[NONCE_BYTES:], digest)
        except (InvalidTag, ValueError):
            whose = f"the secret of key {digest[:6].hex()}"
            if self._new is not None:
                reason = f"the master key {self._new[0]} is not there: without it {whose} is lost"
            else:
                reason = f"the master key, from {self.source}, does not open {whose}"
            raise VaultError(reason) from None

    def keep(self) -> None:
        """Write a new master key to its file, before anything is encrypted under it. Raises VaultError."""
        if self._new is None:
            return
        path, master_key = self._new
        try:
            write_secret(path, b64encode(master_key).decode())
        except SecretFileError as error:
            raise VaultError(str(error)) from error
        self._new = None


def open_vault(
    file: str | None, directory: Path, environment: Mapping[str, str] = os.environ
) -> Vault:
    """The vault of a venue: its key from the environment, or else from `file`, or else from the file in
    the data folder, which `Vault.keep` makes if it isn't there. Raises VaultError.
    """
    if ENVIRONMENT in environment:
        return Vault(_master_key(environment[ENVIRONMENT], ENVIRONMENT), ENVIRONMENT)
    path = directory / FILE_NAME if file is None else Path(file)
    try:
        text = read_secret(path)
    except SecretFileError as error:
        raise VaultError(str(error)) from error
    if text is not None:
        return Vault(_master_key(text, str(path)), str(path))
    if file is not None:
        raise VaultError(f"the master key's file {path} is not there")
    return Vault(secrets.token_bytes(MASTER_KEY_BYTES), str(path), to_make=path)


def _master_key(text: str, source: str) -> bytes:
    text = text.strip()
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    try:
        master_key = b64decode(
            text.encode("ascii"), altchars=b"-_" if set(text) & {*"-_"} else None, validate=True
        )
    except (binascii.Error, UnicodeEncodeError):
        master_key = b""
    if len(master_key) != MASTER_KEY_BYTES:
        reason = f"the master key in {source} is not {MASTER_KEY_BYTES} bytes, in hex or base64"
        raise VaultError(reason)
    return master_key
