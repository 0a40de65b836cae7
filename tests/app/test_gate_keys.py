"""Keys of all kinds at the gate: revoked, Ed25519, bound to networks, with signed streams (protocol §9)."""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.wire.access import Caller, Signature
from jayx_stream.wire.limits import Limits
from tests.app.gate_stage import (
    NOW_MS,
    ORDER,
    READ,
    STREAM,
    WRONG,
    Stage,
    changed,
    signed,
    signed_by_pair,
)


@pytest.fixture
def stage() -> Stage:
    return Stage()


# Keys that are revoked.


def test_a_revoked_key_is_refused_as_if_it_never_was(stage: Stage) -> None:
    assert stage.check(signed()) == "alice"
    stage.revoke("alicekey")
    assert stage.refusal(signed(NOW_MS + 1)) == WRONG
    assert stage.key_refusal("alicekey") == Stage().key_refusal("stranger") == WRONG


# Ed25519.


def test_an_ed25519_signature_gives_its_account(stage: Stage) -> None:
    assert stage.check(signed_by_pair()) == "alice"
    assert stage.refusal(signed_by_pair()) == "UNAUTHORIZED: this signature was used before"


@pytest.mark.parametrize(
    "wrong",
    [
        signed_by_pair(pair=Ed25519PrivateKey.from_private_bytes(bytes(32))),
        changed(signed_by_pair(), signed=ORDER + b" "),
        changed(signed_by_pair(), timestamp=str(NOW_MS + 1)),
        changed(signed_by_pair(), sign=""),
        changed(signed_by_pair(), sign="é"),
        changed(signed_by_pair(), sign=b64encode(bytes(64)).decode()),
        changed(signed_by_pair(), sign=f"{signed_by_pair().sign}\n"),
        signed(key="pair"),
        changed(signed_by_pair(), api_key="alicekey"),
    ],
)
def test_a_wrong_ed25519_signature_is_refused_in_the_same_words(wrong: Signature) -> None:
    assert Stage().refusal(wrong) == WRONG


def test_a_used_signature_written_otherwise_is_no_other(stage: Stage) -> None:
    used = signed_by_pair()
    stage.check(used)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    alike = [
        text
        for digit in last
        if (text := f"{used.sign[:-3]}{digit}==") != used.sign
        and b64decode(text) == b64decode(used.sign)
    ]
    assert len(alike) == 15
    for text in alike:
        assert Stage().refusal(changed(used, sign=text)) == WRONG


# Where a key may be used.


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])
def test_a_key_opens_from_its_networks(stage: Stage, address: str) -> None:
    assert stage.read("office", address=address) == "alice"
    assert stage.check(signed(key="office"), address=address) == "alice"


@pytest.mark.parametrize("address", ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::1", "", "x"])
def test_from_elsewhere_it_is_forbidden_with_the_address(stage: Stage, address: str) -> None:
    refused = f"FORBIDDEN: this key may not be used from {address}"
    assert stage.key_refusal("office", address) == refused
    assert stage.refusal(signed(key="office"), address=address) == refused


def test_who_has_no_signature_is_not_told_where_a_key_may_be_used(stage: Stage) -> None:
    assert stage.refusal(signed(key="office", secret=b"x"), address="192.0.3.7") == WRONG


# Signed streams.


def stream_signature(api_key: str, **more: Any) -> Signature:
    return signed(key=api_key, signed=STREAM, window_is_signed=False, **more)


def test_a_careful_key_wants_its_streams_signed(stage: Stage) -> None:
    assert stage.key_refusal("careful") == (
        "UNAUTHORIZED: the private streams of this key want timestamp and sign, and none came"
    )
    assert stage.read("careful", stream_signature("careful")) == "bob"
    assert stage.read("bobreads") == "bob"


def test_a_careful_server_wants_all_streams_signed_and_tells_no_keys_apart() -> None:
    stage = Stage(signed_streams=True)
    wanted = "UNAUTHORIZED: private streams want timestamp and sign, and none came"
    for api_key in ("alicekey", "bobreads", "careful", "stranger"):
        assert stage.key_refusal(api_key) == wanted
    assert stage.read("alicekey", stream_signature("alicekey")) == "alice"


def test_a_signature_is_checked_even_where_none_is_wanted(stage: Stage) -> None:
    wrong = stream_signature("bobreads", secret=b"another")
    assert stage.key_refusal("bobreads", signature=wrong) == WRONG
    good = stream_signature("bobreads")
    assert stage.read("bobreads", good) == "bob"
    again = stage.key_refusal("bobreads", signature=good)
    assert again == "UNAUTHORIZED: this signature was used before"


def test_a_longer_window_does_not_revive_a_signature(stage: Stage) -> None:
    used = stream_signature("bobreads", window_ms=1000)
    stage.read("bobreads", used)
    for _ in range(6):
        stage.now_ms += 10_000
        stage.read("bobreads", stream_signature("bobreads", timestamp=stage.now_ms))
        again = stage.key_refusal("bobreads", signature=changed(used, window_ms=60_000))
        assert again == "UNAUTHORIZED: this signature was used before"


# Who it was.


def test_the_caller_is_named_with_key_and_permissions(stage: Stage) -> None:
    read = stage.gate.reader("bobreads", None, "here")
    key_id = sha256(b"bobreads").hexdigest()[:12]
    assert read == Caller("bob", key_id, (READ,), None)


def test_only_what_trades_is_to_be_remembered_for_ever(stage: Stage) -> None:
    traded, read = stage.caller(signed()), stage.caller(signed(NOW_MS + 1), to=READ)
    assert read.used is None
    assert traded.used is not None
    assert (traded.used.used_ms, traded.used.expires_ms) == (NOW_MS, NOW_MS + 5000)
    later = Stage()
    later.gate.remember(traded.used.digest, traded.used.expires_ms)
    assert later.refusal(signed()) == "UNAUTHORIZED: this signature was used before"


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=100), st.binary(max_size=50))
def test_nobody_comes_in_by_chance(api_key: str, timestamp: str, sign: str, signed: bytes) -> None:
    stage = Stage(Limits(failed_keys_per_min=0))
    assert stage.refusal(Signature(api_key, timestamp, sign, signed)) == WRONG
    for known in ("alicekey", "pair"):
        assert stage.refusal(Signature(known, timestamp, sign, signed)) == WRONG
