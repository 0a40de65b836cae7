"""The configuration: what can't be is named with file, line and value."""

from pathlib import Path

import pytest

from jayx_stream.app.config import Config, ConfigError, load
from jayx_stream.app.toml_lines import Step, line_of, steps_of

SANDBOX = Path(__file__).parents[2] / "examples" / "sandbox.toml"

SMALL = """\
[server]
port = 9000

[limits]
orders_per_s = 5   # = 7

[[instruments]]
symbol = "BTCUSDT"
base = "BTC"
quote = "USDT"
tick_size = "0.01"
lot_size = "0.000001"

[[accounts]]
name = "alice"
deposits = { BTC = "100", USDT = "5.5" }

[[accounts.keys]]
api_key = "first"
secret = "s1"
permissions = ["read", "trade"]

[[accounts.keys]]
api_key = "second"
secret = "s2"

[[accounts]]
name = "bob"

[[accounts.keys]]
api_key = "third"
secret = "s3"
"""


def written(directory: Path, text: str) -> Path:
    """A file with this text."""
    path = directory / "venue.toml"
    path.write_text(text)
    return path


def refusal(directory: Path, old: str, new: str) -> str:
    """What is said about the small file with one thing changed, from its line on."""
    assert SMALL.count(old) == 1, old
    path = written(directory, SMALL.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:")
    return said.removeprefix(f"{path}:")


def test_the_sandbox_is_as_it_says() -> None:
    config = load(SANDBOX)
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8443)
    assert (config.streams.orderbook_interval_ms, config.streams.kline_interval_ms) == (100, 250)
    assert not config.streams.deflate
    assert config.limits.queue_bytes_max == 4_194_304
    assert [terms.define().symbol for terms in config.instruments] == ["BTCUSDT", "ETHUSDT"]
    alice, bob = config.accounts
    assert alice.deposit_units()["BTC"] == 100 * 10**8
    assert alice.keys[0].api_key == "clmsionk21ru"
    assert [key.permissions for key in bob.keys] == [("read", "trade"), ("read",)]


def test_what_is_not_given_has_its_default(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALL))
    assert (config.server.port, config.limits.orders_per_s) == (9000, 5)
    assert config.server.host == Config().server.host == "127.0.0.1"
    assert config.limits.requests_per_s == 50
    assert config.accounts[0].keys[1].permissions == ("read",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port =", "prot =", "2: server.prot: unknown key prot (it is 9000)"),
        (
            "orders_per_s",
            "orders_per_m",
            "5: limits.orders_per_m: unknown key orders_per_m (it is 5)",
        ),
        ('base = "BTC"', 'bsae = "BTC"', "9: instruments[1].bsae: unknown key bsae (it is 'BTC')"),
        ('name = "bob"', 'nome = "bob"', "28: accounts[2].nome: unknown key nome (it is 'bob')"),
        (
            'permissions = ["read", "trade"]',
            'permission = ["read"]',
            "21: accounts[1].keys[1].permission: unknown key permission",
        ),
        (
            'api_key = "third"',
            'api_key = "third"\nexpires = 5',
            "32: accounts[2].keys[1].expires: unknown key expires",
        ),
        ("[server]", "colour = 1\n[server]", "1: colour: unknown key colour (it is 1)"),
        ("[limits]", "[limit]", "4: limit: unknown key limit"),
    ],
)
def test_an_unknown_key_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert refusal(tmp_path, old, new) == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("9000", '"9000"', "2: server.port: Expected `int`, got `str` (it is '9000')"),
        (
            "[limits]",
            '[streams]\ndeflate = "on"\n[limits]',
            "5: streams.deflate: Expected `bool`, got `str` (it is 'on')",
        ),
        ("9000", "true", "2: server.port: Expected `int`, got `bool` (it is True)"),
        (
            '"0.01"',
            "0.01",
            "11: instruments[1].tick_size: Expected `str`, got `float` (it is 0.01)",
        ),
        (
            '"100"',
            "100",
            "16: accounts[1].deposits: Expected `str`, got `int` "
            "(it is {'BTC': 100, 'USDT': '5.5'})",
        ),
        (
            '["read", "trade"]',
            '"read"',
            "21: accounts[1].keys[1].permissions: Expected `array`, got `str` (it is 'read')",
        ),
        ('"s2"', "5", "25: accounts[1].keys[2].secret: Expected `str | null`, got `int`"),
        ('symbol = "BTCUSDT"\n', "", "7: instruments[1]: Object missing required field `symbol`"),
    ],
)
def test_a_wrong_type_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert refusal(tmp_path, old, new) == said


INSTRUMENT = SMALL[SMALL.index("[[instruments]]") : SMALL.index("[[accounts]]")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("9000", "70000", "2: server.port: port 70000 is not 0 to 65535 (it is 70000)"),
        ("9000", "-1", "2: server.port: port -1 is not 0 to 65535 (it is -1)"),
        (
            "9000",
            "9000\nbusy_poll_ms = -1",
            "3: server.busy_poll_ms: busy_poll_ms is -1, less than 0 (it is -1)",
        ),
        ("9000", '9000\ntls_cert = "x"', "1: server: tls_cert and tls_key go together"),
        ("= 5 ", "= -5 ", "5: limits.orders_per_s: orders_per_s is -5, less than 0 (it is -5)"),
        (
            "[limits]",
            "[streams]\nkline_interval_ms = -1\n[limits]",
            "5: streams.kline_interval_ms: kline_interval_ms is -1, less than 0 (it is -1)",
        ),
        (INSTRUMENT, "", "1: the file: there is no [[instruments]]"),
        ('"0.01"', '"abc"', "7: instruments[1]: 'abc' is not a plain decimal such as 66843.63"),
        ('"0.01"', '"0"', "7: instruments[1]: a step must be greater than 0, not 0"),
        (
            '"0.01"',
            '"0.001"',
            "7: instruments[1]: tick_size 0.001 x lot_size 0.000001: "
            "0.000000001 is not a whole number of the asset's units of 0.00000001",
        ),
        (
            '"0.01"',
            '"0.01"\ntaker_fee = "1.5"',
            "7: instruments[1]: a fee is a rate from 0 to 1 with at most 8 decimals, not 1.5",
        ),
        (
            '"0.01"',
            '"0.01"\nmin_lots = 0',
            "7: instruments[1]: 1 <= min_lots <= max_lots fails for 0 and 100000000000",
        ),
        (
            '"BTCUSDT"',
            '"BTC USDT"',
            "8: instruments[1].symbol: 'BTC USDT' is no symbol: letters, digits, . _ - "
            "(it is 'BTC USDT')",
        ),
        (
            INSTRUMENT,
            INSTRUMENT * 2,
            "15: instruments[2].symbol: BTCUSDT is there twice (it is 'BTCUSDT')",
        ),
        ('"alice"', '"bob"', "28: accounts[2].name: bob is there twice (it is 'bob')"),
        (
            '"alice"',
            '"a@b"',
            "15: accounts[1].name: 'a@b' is no name: letters, digits, . _ - (it is 'a@b')",
        ),
        ("BTC = ", "XRP = ", "16: accounts[1].deposits.XRP: no instrument trades XRP (it is '100')"),
        (
            '"100"',
            '"1e3"',
            "16: accounts[1].deposits: '1e3' is not a plain decimal such as 66843.63",
        ),
        ('"third"', '"first"', "31: accounts[2].keys[1].api_key: the key is there twice"),
        (
            '"trade"]',
            '"withdraw", "x"]',
            "21: accounts[1].keys[1].permissions: no permission withdraw, x; there are read, trade "
            "(it is ['read', 'withdraw', 'x'])",
        ),
    ],
)  # fmt: skip
def test_a_value_that_can_not_be_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert refusal(tmp_path, old, new) == said


KEY = 'api_key = "second"\nsecret = "s2"'
PUBLIC = "MCowBQYDK2VwAyEA"


@pytest.mark.parametrize(
    ("new", "line", "said"),
    [
        ('api_key = ""\nsecret = "s2"', 24, "api_key: api_key must not be empty"),
        ('api_key = "second"', 23, "secret: an hmac key needs one"),
        (f'{KEY}\nkind = "rsa"', 26, "kind: no kind 'rsa'; there are hmac, ed25519 (it is 'rsa')"),
        (f'{KEY}\npublic_key = "{PUBLIC}"', 26, "public_key: an hmac key has none"),
        (
            f'{KEY}\nkind = "ed25519"',
            25,
            "secret: an ed25519 key has none here: its holder keeps it",
        ),
        ('api_key = "second"\nkind = "ed25519"', 23, "public_key: an ed25519 key needs one"),
        (
            f'api_key = "second"\nkind = "ed25519"\npublic_key = "{PUBLIC}"',
            26,
            "public_key: it is not Ed25519, as PEM or as base64 of its 32 bytes",
        ),
        (f"{KEY}\npermissions = []", 26, "permissions: a key needs a permission (it is [])"),
        (
            f'{KEY}\nnetworks = ["192.0.2.1/24"]',
            26,
            "networks: 192.0.2.1/24 has host bits set (it is ['192.0.2.1/24'])",
        ),
        (
            f'{KEY}\nlabel = "a\\u0007b"',
            26,
            "label: it is not up to 100 printable characters (it is 'a\\x07b')",
        ),
    ],
)
def test_a_key_that_can_not_be_is_named_with_its_line(
    tmp_path: Path, new: str, line: int, said: str
) -> None:
    assert refusal(tmp_path, KEY, new) == f"{line}: accounts[1].keys[2].{said}"


@pytest.mark.parametrize("wrong", ["secrett", "Secret", "public_key", "api_key2", "secret"])
@pytest.mark.parametrize("value", ['"hush-7"', "[7777]", "7777", '["hush-7"]'])
def test_what_may_be_a_secret_is_never_shown(tmp_path: Path, wrong: str, value: str) -> None:
    said = refusal(tmp_path, KEY, f'api_key = "second"\nkind = "x"\n{wrong} = {value}')
    assert "hush" not in said
    assert "7777" not in said


@pytest.mark.parametrize("section", ["[admin]\ntoken", "[keys]\nmaster_key"])
def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path, section: str) -> None:
    said = refusal(tmp_path, "[limits]", f'{section} = "hush-7"\n[limits]')
    assert "unknown key" in said
    assert "hush" not in said


def test_keys_of_all_kinds_are_read(tmp_path: Path) -> None:
    public = "gtI6JUBv5b2uUPsMJZoQyDDKfRjUfF1S1e6bSx0RZBQ="
    more = f'''kind = "ed25519"\npublic_key = "{public}"\nnetworks = ["::1", "192.0.2.0/24"]
signed_streams = true\nlabel = "office"'''
    (_, key), _ = (
        account.keys
        for account in load(
            written(tmp_path, SMALL.replace(KEY, f'api_key = "second"\n{more}'))
        ).accounts
    )
    assert (key.kind, key.public_key, key.secret) == ("ed25519", public, None)
    assert (key.networks, key.signed_streams) == (("::1", "192.0.2.0/24"), True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_the_operator_s_port_is_for_this_machine_alone(tmp_path: Path, host: str) -> None:
    section = f'[admin]\nhost = "{host}"\n'
    said = refusal(tmp_path, "[limits]", f"{section}[limits]")
    reason = f"{host} can be reached by others, and the operator's API speaks no TLS: "
    assert said == f"5: admin.host: {reason}use loopback, or set allow_remote (it is '{host}')"
    for more in ("allow_remote = true", "port = 0"):
        text = SMALL.replace("[limits]", f"{section}{more}\n[limits]")
        assert load(written(tmp_path, text)).admin.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_public_host_wants_tls_or_a_word(tmp_path: Path, host: str) -> None:
    said = refusal(tmp_path, "[server]\n", f'[server]\nhost = "{host}"\n')
    reason = f"{host} can be reached by others: set tls_cert and tls_key, or allow_plain"
    assert said == f"2: server.host: {reason} (it is '{host}')"
    for more in ("allow_plain = true", 'tls_cert = "c"\ntls_key = "k"'):
        text = SMALL.replace("[server]\n", f'[server]\nhost = "{host}"\n{more}\n')
        assert load(written(tmp_path, text)).server.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_loopback_host_may_be_plain(tmp_path: Path, host: str) -> None:
    text = SMALL.replace("[server]\n", f'[server]\nhost = "{host}"\n')
    assert load(written(tmp_path, text)).server.host == host


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.toml"
    with pytest.raises(ConfigError, match=f"^{path}: No such file or directory$"):
        load(path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_bytes(b"[server]\n\xff")
    with pytest.raises(ConfigError, match=f"^{path}: invalid start byte at byte 9$"):
        load(path)


def test_a_breach_of_toml_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = = 5\n")
    with pytest.raises(ConfigError, match=rf"^{path}: Invalid value \(at line 2, column 8\)$"):
        load(path)


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        ("$", []),
        ("$.server.port", ["server", "port"]),
        ("$.accounts[10].keys[0]", ["accounts", 10, "keys", 0]),
        ("$.accounts[0].deposits[...]", ["accounts", 0, "deposits"]),
    ],
)
def test_places_are_read_as_steps(place: str, steps: list[Step]) -> None:
    assert steps_of(place) == steps


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([], 1),
        (["server"], 1),
        (["server", "port"], 2),
        (["limits", "orders_per_s"], 5),
        (["limits", "missing"], 4),
        (["accounts", 0], 14),
        (["accounts", 0, "deposits", "USDT"], 16),
        (["accounts", 0, "keys", 1, "api_key"], 24),
        (["accounts", 1, "keys", 0, "api_key"], 31),
        (["nowhere"], 1),
    ],
)
def test_lines_are_found(steps: list[Step], line: int) -> None:
    assert line_of(SMALL, steps) == line
