"""Keys of the configuration file: made on the first start that names them; then the journal decides."""

import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from jayx_stream.app.config import Account, ApiKey, Config
from jayx_stream.app.vault import Vault
from jayx_stream.app.venue import EmbeddedVenue, SetupError
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.commands import RevokeKey
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.units import NS_PER_S
from tests.doors.running import configured

PUBLIC = "gtI6JUBv5b2uUPsMJZoQyDDKfRjUfF1S1e6bSx0RZBQ="
API_KEY, SECRET = "a-key-to-look-for", "a-secret-to-look-for"
KEY = ApiKey(api_key=API_KEY, secret=SECRET, permissions=("read", "trade"))
VAULT = Vault(bytes(32))


def noon() -> int:
    """A clock that stands: no minute is struck between two starts."""
    return 1_800_014_400 * NS_PER_S


def with_keys(*keys: ApiKey, account: str = "alice") -> Config:
    """Alice and bob; one of them has these keys."""
    accounts = tuple(
        Account(name, keys=keys if name == account else ()) for name in ("alice", "bob")
    )
    return replace(configured(), accounts=accounts)


@asynccontextmanager
async def started(
    config: Config, journal: MemoryJournal | SqliteJournal, vault: Vault | None = VAULT
) -> AsyncIterator[EmbeddedVenue]:
    """A venue on a journal."""
    venue = EmbeddedVenue(config, journal, noon, vault=vault)
    await venue.recover()
    try:
        await venue.start()
        yield venue
    finally:
        await venue.stop()


def standing(venue: EmbeddedVenue) -> list[Key]:
    return [each.key for each in venue.projections.keys.all() if each.revoked_ns is None]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said about keys, forgotten by this."""
    said = [each.getMessage() for each in caplog.records if each.name == "jayx_stream.keys"]
    assert all(each.levelno == logging.WARNING for each in caplog.records)
    caplog.clear()
    return said


async def test_a_configured_key_is_made_once(caplog: pytest.LogCaptureFixture) -> None:
    journal = MemoryJournal()
    pair = ApiKey(
        api_key="pair",
        kind="ed25519",
        public_key=PUBLIC,
        networks=("192.0.2.7",),
        signed_streams=True,
        label="bot",
    )
    async with started(with_keys(KEY, pair), journal) as venue:
        made, other = standing(venue)
        assert (made.account, made.kind) == ("alice", KeyKind.HMAC)
        assert made.permissions == (Permission.READ, Permission.TRADE)
        assert VAULT.decrypt(made.material, made.digest) == SECRET.encode()
        assert (other.kind, other.networks) == (KeyKind.ED25519, ("192.0.2.7/32",))
        assert (other.signed_streams, other.label) == (True, "bot")
        assert venue.gate.reader(API_KEY, None, "").account == "alice"
        seq = venue.projections.seq
    async with started(with_keys(KEY, pair), journal) as venue:
        assert standing(venue) == [made, other]
        assert venue.projections.seq == seq
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"permissions": ("read",)}, "permissions"),
        ({"secret": "another"}, "secret"),
        ({"networks": ("::1",), "signed_streams": True, "label": "x"}, "networks, signed_streams, label"),
        ({"kind": "ed25519", "secret": None, "public_key": PUBLIC}, "kind"),
    ],
)  # fmt: skip
async def test_a_key_that_was_edited_since_stays_as_it_was_made(
    caplog: pytest.LogCaptureFixture, change: dict[str, Any], said: str
) -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal) as venue:
        made = standing(venue)
    async with started(with_keys(replace(KEY, **change)), journal) as venue:
        assert standing(venue) == made
    assert warnings(caplog) == [
        f"key {made[0].key_id} of account alice was made with other {said} than the configuration "
        "says now: it stays as it was made"
    ]


async def test_a_key_of_another_account_stays_whose_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal):
        pass
    async with started(with_keys(KEY, account="bob"), journal) as venue:
        assert venue.gate.reader(API_KEY, None, "").account == "alice"
    (said,) = warnings(caplog)
    assert "of account bob was made with other account than" in said


async def test_an_edited_public_key_is_told(caplog: pytest.LogCaptureFixture) -> None:
    journal = MemoryJournal()
    pair = ApiKey(api_key="pair", kind="ed25519", public_key=PUBLIC)
    async with started(with_keys(pair), journal):
        pass
    other = replace(pair, public_key="11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    async with started(with_keys(other), journal):
        pass
    (said,) = warnings(caplog)
    assert "with other public_key than" in said


async def test_a_revoked_key_is_not_brought_back(caplog: pytest.LogCaptureFixture) -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal) as venue:
        (made,) = standing(venue)
        await venue.insist(RevokeKey(key_id=made.key_id))
    async with started(with_keys(KEY), journal) as venue:
        assert standing(venue) == []
    assert warnings(caplog) == [
        f"key {made.key_id} of account alice stands in the configuration, but was revoked, and "
        "stays so"
    ]


async def test_a_key_taken_out_of_the_file_stands_until_it_is_revoked() -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal):
        pass
    async with started(with_keys(), journal) as venue:
        assert [each.account for each in standing(venue)] == ["alice"]


async def test_a_start_without_the_master_key_is_refused() -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal) as venue:
        (made,) = standing(venue)
    other = Vault(bytes([1]) * 32, "/etc/master.key")
    with pytest.raises(SetupError) as caught:
        async with started(with_keys(KEY), journal, other):
            pass
    assert str(caught.value) == (
        f"the master key, from /etc/master.key, does not open the secret of key {made.key_id}"
    )


async def test_secrets_that_nobody_needs_any_more_may_stay_closed() -> None:
    journal = MemoryJournal()
    async with started(with_keys(KEY), journal) as venue:
        await venue.insist(RevokeKey(key_id=standing(venue)[0].key_id))
    pair = ApiKey(api_key="pair", kind="ed25519", public_key=PUBLIC)
    async with started(with_keys(pair), journal, vault=None) as venue:
        assert [each.kind for each in standing(venue)] == [KeyKind.ED25519]


async def test_neither_key_nor_secret_stands_in_any_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with started(with_keys(KEY), await SqliteJournal.open(tmp_path)) as venue:
        assert len(standing(venue)) == 1
        digest = standing(venue)[0].digest
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert any(digest in content for content in files.values()), "the key is in the journal"
    for content in files.values():
        for hidden in (API_KEY.encode(), SECRET.encode(), b64encode(SECRET.encode())):
            assert hidden not in content
    assert SECRET not in caplog.text
    assert API_KEY not in caplog.text
