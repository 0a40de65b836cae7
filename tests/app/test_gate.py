"""Who may come in (protocol §9, §10)."""

import pytest

from jayx_stream.wire.access import Signature
from jayx_stream.wire.limits import Limits
from tests.app.gate_stage import NOW_MS, ORDER, READ, WRONG, Stage, changed, signed


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
    assert Stage().refusal(wrong) == WRONG


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
    assert stage.read("bobreads") == "bob"
    assert stage.check(signed(key="bobreads"), to=READ) == "bob"
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
    assert stage.read("alicekey") == "alice"


def test_other_addresses_are_not_blocked(stage: Stage) -> None:
    for _ in range(5):
        stage.key_refusal("stranger")
    assert stage.check(signed(), address="there") == "alice"
    assert stage.read("alicekey", address="there") == "alice"


def test_wrong_signatures_count_as_failures_too(stage: Stage) -> None:
    for _ in range(3):
        stage.refusal(signed(secret=b"another"))
    assert stage.key_refusal("alicekey").startswith("RATE_LIMITED")


def test_failures_a_minute_apart_do_not_add_up(stage: Stage) -> None:
    for _ in range(3):
        stage.key_refusal("stranger")
        stage.now_s += 31
    assert stage.read("alicekey") == "alice"


def test_no_limit_of_failures_at_0() -> None:
    stage = Stage(Limits(failed_keys_per_min=0))
    for _ in range(50):
        assert stage.key_refusal("stranger").startswith("UNAUTHORIZED")
    assert stage.read("alicekey") == "alice"


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


def test_failures_are_counted_for_all_addresses(stage: Stage) -> None:
    for address in ("here", "there"):
        stage.key_refusal("stranger", address)
        stage.refusal(signed(secret=b"another"), address=address)
    stage.key_refusal("office", "198.51.100.7")
    stage.key_refusal("onlytrades")
    assert stage.gate.failed_keys == 5


def test_what_an_account_may_still_place_is_told() -> None:
    stage = Stage(Limits(orders_per_s=3))
    stage.gate.take_order("alice")
    left = stage.gate.order_allowance("alice")
    assert left is not None
    assert (left.limit, left.left) == (3, 2)
    assert Stage(Limits(orders_per_s=0)).gate.order_allowance("alice") is None
