"""Secrets under a master key, and the files that hold secrets."""

import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.app.config import Admin
from jayx_stream.app.operator_token import operator_token
from jayx_stream.app.secret_file import SecretFileError, read_secret, write_secret
from jayx_stream.app.vault import ENVIRONMENT, FILE_NAME, Vault, VaultError, open_vault

MASTER = bytes(range(224, 256))
DIGEST = bytes(32)
OTHER_DIGEST = bytes([1]) + bytes(31)


def refusal(file: str | None, directory: Path, text: str | None = None) -> str:
    """What is said about a master key that can't be used."""
    with pytest.raises(VaultError) as caught:
        open_vault(file, directory, {} if text is None else {ENVIRONMENT: text})
    return str(caught.value)


def kept(directory: Path, text: str, mode: int = 0o600) -> Path:
    """A file of the data folder."""
    path = directory / FILE_NAME
    path.write_text(text)
    path.chmod(mode)
    return path


def opens(vault: Vault, other: Vault) -> bool:
    """Whether one opens what the other encrypts."""
    try:
        return vault.decrypt(other.encrypt(b"secret", DIGEST), DIGEST) == b"secret"
    except VaultError:
        return False


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_a_secret_comes_back_as_it_was(secret: bytes, digest: bytes) -> None:
    vault = Vault(MASTER)
    material = vault.encrypt(secret, digest)
    assert Vault(MASTER).decrypt(material, digest) == secret
    assert vault.encrypt(secret, digest) != material


@given(st.data())
def test_no_changed_material_opens(data: st.DataObject) -> None:
    vault = Vault(MASTER)
    material = bytearray(vault.encrypt(b"a secret of alice", DIGEST))
    bit = data.draw(st.integers(0, len(material) * 8 - 1))
    material[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VaultError):
        vault.decrypt(bytes(material), DIGEST)


@pytest.mark.parametrize("material", [b"", b"short", bytes(12), bytes(28)])
def test_what_is_no_material_is_refused(material: bytes) -> None:
    with pytest.raises(VaultError):
        Vault(MASTER).decrypt(material, DIGEST)


def test_a_secret_belongs_to_its_key_and_its_master_key() -> None:
    material = Vault(MASTER).encrypt(b"secret", DIGEST)
    with pytest.raises(VaultError, match="does not open the secret of key 010000000000"):
        Vault(MASTER).decrypt(material, OTHER_DIGEST)
    with pytest.raises(VaultError, match="from elsewhere, does not open the secret of key 000000"):
        Vault(bytes(32), "elsewhere").decrypt(material, DIGEST)


def test_the_vault_of_a_process_is_of_no_other() -> None:
    assert not opens(Vault.of_this_process(), Vault.of_this_process())


# Where the master key is.


@pytest.mark.parametrize(
    "text",
    [
        MASTER.hex(),
        MASTER.hex().upper(),
        b64encode(MASTER).decode(),
        urlsafe_b64encode(MASTER).decode(),
        f" {MASTER.hex()}\n",
    ],
)
def test_a_master_key_is_hex_or_base64(tmp_path: Path, text: str) -> None:
    assert opens(open_vault(None, tmp_path, {ENVIRONMENT: text}), Vault(MASTER))
    kept(tmp_path, text)
    assert opens(open_vault(None, tmp_path, {}), Vault(MASTER))


@pytest.mark.parametrize(
    "text", ["", "hush", "hush" * 11, MASTER.hex()[:-2], b64encode(MASTER[1:]).decode(), "é" * 44]
)
def test_what_is_no_master_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    said = refusal(None, tmp_path, text)
    assert said == "the master key in JAYX_MASTER_KEY is not 32 bytes, in hex or base64"
    if text.isascii():
        path = kept(tmp_path, text)
        said = refusal(None, tmp_path)
        assert said == f"the master key in {path} is not 32 bytes, in hex or base64"


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    kept(tmp_path, bytes(32).hex())
    assert opens(open_vault(None, tmp_path, {ENVIRONMENT: MASTER.hex()}), Vault(MASTER))


def test_a_configured_file_is_read_in_place_of_the_folder_s(tmp_path: Path) -> None:
    kept(tmp_path, bytes(32).hex())
    elsewhere = tmp_path / "elsewhere"
    write_secret(elsewhere, MASTER.hex())
    assert opens(open_vault(str(elsewhere), tmp_path, {}), Vault(MASTER))


def test_a_configured_file_has_to_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert refusal(str(missing), tmp_path) == f"the master key's file {missing} is not there"
    assert not missing.exists()


def test_the_folder_s_file_is_made_once_it_is_to_be_kept(tmp_path: Path) -> None:
    vault = open_vault(None, tmp_path, {})
    path = tmp_path / FILE_NAME
    assert not path.exists()
    vault.keep()
    assert path.stat().st_mode & 0o777 == 0o600
    assert opens(open_vault(None, tmp_path, {}), vault)
    before = path.read_bytes()
    vault.keep()
    open_vault(None, tmp_path, {}).keep()
    assert path.read_bytes() == before


# Files.


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, MASTER.hex(), mode)
    said = f"{path} can be read by others (mode 0{mode:03o}): chmod 600 it"
    assert refusal(None, tmp_path) == said
    with pytest.raises(SecretFileError) as caught:
        operator_token(Admin(token_file=str(path)), tmp_path)
    assert str(caught.value) == said


def test_a_file_that_can_not_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    assert refusal(None, tmp_path) == f"can't read {tmp_path / FILE_NAME}: Is a directory"
    large, binary = tmp_path / "large", tmp_path / "binary"
    large.write_text("x" * 5000)
    binary.write_bytes(b"\xff" * 32)
    for path, reason in ((large, "has more than 4096 bytes"), (binary, "is no plain text")):
        path.chmod(0o600)
        assert refusal(str(path), tmp_path) == f"{path} {reason}"


def test_a_secret_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "token"
    (tmp_path / "token.new").write_text("of a process that was killed")
    write_secret(path, "first")
    assert read_secret(path) == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecretFileError, match="is there already"):
        write_secret(path, "second")
    assert read_secret(path) == "first"
    assert os.listdir(tmp_path) == ["token"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "token"
    with pytest.raises(SecretFileError, match=f"can't write {path}: No such file or directory"):
        write_secret(path, "first")
    assert read_secret(path) is None


def test_the_operator_s_token_is_made_once(tmp_path: Path) -> None:
    token = operator_token(Admin(), tmp_path)
    assert len(token) >= 43
    assert operator_token(Admin(), tmp_path) == token
    assert operator_token(Admin(token_file=str(tmp_path / "other")), tmp_path) != token


@pytest.mark.parametrize("text", ["", "short", "a token of many words, which is none"])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    path = kept(tmp_path, text)
    with pytest.raises(SecretFileError) as caught:
        operator_token(Admin(token_file=str(path)), tmp_path)
    assert str(caught.value).startswith(f"{path} holds no operator's token: at least 20 characters")
