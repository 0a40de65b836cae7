"""Who may come in (protocol §9, §10)."""

import hmac
from base64 import b64encode

import pytest

from jayx_stream.app.gate import Key, VenueGate
from jayx_stream.doors import Signature
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from tests.desk.commands import BTCUSDT

NOW_MS = 1_716_131_619_042
SECRET = b"alice-secret"
ORDER = b'POST/api/v1/trader/order{"symbol":"BTCUSDT"}'


class Stage:
    """A gate whose clocks stand until they are set."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now_ms = NOW_MS
        self.now_s = 50.0
        self.gate = VenueGate(
            limits or Limits(failed_keys_per_min=3),
            {"BTCUSDT": BTCUSDT},
            clock=lambda: self.now_ms * NS_PER_MS,
            monotonic_s=lambda: self.now_s,
        )
        self.gate.add("alicekey", Key("alice", SECRET, frozenset({"read", "trade"})))
        self.gate.add("bobreads", Key("bob", SECRET, frozenset({"read"})))
        self.gate.add("onlytrades", Key("carol", SECRET, frozenset({"trade"})))

    def check(self, signature: Signature, *, address: str = "here", to: str = "trade") -> str:
        """The account of who signed."""
        return self.gate.check(signature, address, to).account

    def refusal(self, signature: Signature, *, address: str = "here", to: str = "trade") -> str:
        """Code and reason of a signature that is refused."""
        with pytest.raises(ProtocolError) as caught:
            self.check(signature, address=address, to=to)
        return str(caught.value)

    def key_refusal(self, api_key: str, address: str = "here") -> str:
        """Code and reason of a key that is refused for reading."""
        with pytest.raises(ProtocolError) as caught:
            self.gate.account_of(api_key, address)
        return str(caught.value)


def signed(
    timestamp: object = NOW_MS,
    *,
    key: str = "alicekey",
    secret: bytes = SECRET,
    signed: bytes = ORDER,
    window_ms: int = 5000,
) -> Signature:
    """A request as its client signs it: timestamp, METHOD, path and body."""
    text = str(timestamp)
    sign = b64encode(hmac.digest(secret, text.encode() + signed, "sha256")).decode()
    return Signature(key, text, sign, signed, window_ms)


def changed(signature: Signature, **fields: object) -> Signature:
    """The same with a part that is not what was signed."""
    parts = {name: getattr(signature, name) for name in signature.__struct_fields__}
    return Signature(**{**parts, **fields})


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_good_signature_gives_its_account(stage: Stage) -> None:
    assert stage.check(signed()) == "alice"


def test_the_signature_of_a_known_example() -> None:
    sign = "ayQKY5Ljy4dxEY81WkyqxPvPyIN3a5ukVnsyqLLJJ5A="
    example = Signature("alicekey", "1716131619042", sign, b"GET/api/v1/trader/balances", 5000)
    assert Stage().check(example) == "alice"


@pytest.mark.parametrize(
    "wrong",
    [
        changed(signed(), sign="AAAA"),
        changed(signed(), sign=""),
        changed(signed(), sign="é" * 44),
        changed(signed(), sign=signed().sign.lower()),
        changed(signed(), sign=signed().sign + "="),
        changed(signed(), signed=ORDER + b" "),
        changed(signed(), timestamp=str(NOW_MS + 1)),
        changed(signed(), api_key="stranger"),
        signed(secret=b"another"),
        signed(key="stranger"),
        signed(key=""),
    ],
)
def test_wrong_signatures_and_unknown_keys_are_refused_alike(wrong: Signature) -> None:
    assert Stage().refusal(wrong) == "UNAUTHORIZED: unknown key, or the signature does not fit"


def test_an_unknown_key_for_reading_is_refused_in_the_same_words(stage: Stage) -> None:
    assert stage.key_refusal("stranger") == Stage().refusal(signed(key="stranger"))


@pytest.mark.parametrize(
    ("off_ms", "window_ms"), [(-5000, 5000), (5000, 5000), (-60_000, 60_000), (0, 1)]
)
def test_a_timestamp_within_its_window_is_taken(off_ms: int, window_ms: int) -> None:
    assert Stage().check(signed(NOW_MS + off_ms, window_ms=window_ms)) == "alice"


@pytest.mark.parametrize(
    ("timestamp", "window_ms"),
    [
        (NOW_MS - 5001, 5000),
        (NOW_MS + 5001, 5000),
        (NOW_MS - 2, 1),
        (0, 60_000),
        ("", 5000),
        ("soon", 5000),
        (f"-{NOW_MS}", 5000),
        (f"{NOW_MS}.5", 5000),
        ("9" * 30, 5000),
    ],
)
def test_any_other_timestamp_is_named(timestamp: object, window_ms: int) -> None:
    refused = Stage().refusal(signed(timestamp, window_ms=window_ms))
    expected = f"timestamp {timestamp} is more than {window_ms} ms off the server's clock, {NOW_MS}"
    assert refused == f"UNAUTHORIZED: {expected}"


def test_a_signature_is_good_once(stage: Stage) -> None:
    stage.check(signed())
    stage.now_ms += 4999
    assert stage.refusal(signed()) == "UNAUTHORIZED: this signature was used before"
    assert stage.check(signed(NOW_MS + 1)) == "alice"


def test_a_used_signature_is_forgotten_no_sooner_than_its_timestamp_is_bad(stage: Stage) -> None:
    early = signed(NOW_MS + 5000)
    stage.check(early)
    for _ in range(11):
        stage.now_ms += 1000
        stage.check(signed(stage.now_ms + 7))
        assert stage.refusal(early).startswith("UNAUTHORIZED: ")


def test_a_signature_that_is_refused_is_not_used_up(stage: Stage) -> None:
    late = signed(NOW_MS + 7000)
    assert stage.refusal(late).startswith("UNAUTHORIZED: timestamp")
    stage.now_ms += 5000
    assert stage.check(late) == "alice"


def test_a_key_may_do_what_it_was_made_for(stage: Stage) -> None:
    assert stage.gate.account_of("bobreads", "here") == "bob"
    assert stage.check(signed(key="bobreads"), to="read") == "bob"
    assert stage.refusal(signed(NOW_MS + 1, key="bobreads")) == (
        "FORBIDDEN: this needs the permission trade; the key has read"
    )
    assert stage.key_refusal("onlytrades") == (
        "FORBIDDEN: this needs the permission read; the key has trade"
    )


def test_too_many_failures_block_an_address_for_a_minute(stage: Stage) -> None:
    for _ in range(3):
        assert stage.key_refusal("stranger").startswith("UNAUTHORIZED")
    refused = "RATE_LIMITED: 3 wrong keys or signatures came from here: wait a minute"
    stage.now_s += 59.9
    assert stage.key_refusal("stranger") == refused
    assert stage.key_refusal("alicekey") == refused
    assert stage.refusal(signed()) == refused
    stage.now_s += 0.1
    assert stage.check(signed()) == "alice"


def test_the_minute_begins_with_the_last_failure(stage: Stage) -> None:
    for _ in range(3):
        stage.now_s += 20
        stage.key_refusal("stranger")
    stage.now_s += 59
    assert stage.key_refusal("alicekey").startswith("RATE_LIMITED")
    stage.now_s += 1
    assert stage.gate.account_of("alicekey", "here") == "alice"


def test_other_addresses_are_not_blocked(stage: Stage) -> None:
    for _ in range(5):
        stage.key_refusal("stranger")
    assert stage.check(signed(), address="there") == "alice"
    assert stage.gate.account_of("alicekey", "there") == "alice"


def test_wrong_signatures_count_as_failures_too(stage: Stage) -> None:
    for _ in range(3):
        stage.refusal(signed(secret=b"another"))
    assert stage.key_refusal("alicekey").startswith("RATE_LIMITED")


def test_failures_a_minute_apart_do_not_add_up(stage: Stage) -> None:
    for _ in range(3):
        stage.key_refusal("stranger")
        stage.now_s += 31
    assert stage.gate.account_of("alicekey", "here") == "alice"


def test_no_limit_of_failures_at_0() -> None:
    stage = Stage(Limits(failed_keys_per_min=0))
    for _ in range(50):
        assert stage.key_refusal("stranger").startswith("UNAUTHORIZED")
    assert stage.gate.account_of("alicekey", "here") == "alice"


def test_orders_are_limited_per_account() -> None:
    stage = Stage(Limits(orders_per_s=3))
    assert [stage.gate.take_order("alice") for _ in range(4)] == [True, True, True, False]
    assert stage.gate.take_order("bob")
    stage.now_s += 0.5
    assert [stage.gate.take_order("alice") for _ in range(2)] == [True, False]


def test_no_limit_of_orders_at_0() -> None:
    stage = Stage(Limits(orders_per_s=0))
    assert all(stage.gate.take_order("alice") for _ in range(500))


def test_the_symbols_are_the_instruments(stage: Stage) -> None:
    assert "BTCUSDT" in stage.gate.symbols
    assert "BTCUSD" not in stage.gate.symbols


@pytest.mark.parametrize("permission", ["", "withdraw"])
def test_no_key_has_a_permission_that_it_was_not_given(stage: Stage, permission: str) -> None:
    assert stage.refusal(signed(), to=permission).startswith(str(ErrorCode.FORBIDDEN))
