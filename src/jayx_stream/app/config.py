"""The configuration: one TOML file, read into frozen structs. What can't be is named with its line."""

import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from jayx_stream.app.issuing import check_key
from jayx_stream.app.logs import FORMATS, LEVELS
from jayx_stream.app.toml_lines import Step, line_of, steps_of
from jayx_stream.doors.address import read_networks
from jayx_stream.doors.operator_forms import KeyRequest
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.names import ACCOUNT, NAME_CHARACTERS, SYMBOL
from jayx_stream.model.units import ASSET_UNIT
from jayx_stream.wire.limits import Limits

Fault = tuple[str, str]
"""Place and reason of a value that can't be; the place as msgspec writes it, `$.server.port`."""


class ConfigError(Exception):
    """The configuration can't be used; the message names file, line and value."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all sections: a key that isn't known is an error."""


class Server(Section, frozen=True):
    """`[server]`: the public port."""

    host: str = "127.0.0.1"
    port: int = 8443
    """0: any free one."""
    tls_cert: str | None = None
    """Path of a PEM file, from the working directory on; without one there is no TLS."""
    tls_key: str | None = None
    allow_plain: bool = False
    """Listen without TLS on an address that others can reach: for a TLS proxy in front."""
    tls_dev: bool = False
    """Serve with a certificate of the server's own making, for development: `--tls-dev`."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies in front, whose `X-Forwarded-For` is believed."""
    origins: tuple[str, ...] = ()
    """Pages that may connect, beside the server's own: `https://example.org`."""
    io_uring: bool = True
    """Write to many sockets in one system call where Linux allows it."""
    busy_poll_ms: int = 0
    """For which the event loop doesn't sleep after what was done last; 0: it does at once."""


class Data(Section, frozen=True):
    """`[data]`: what is kept."""

    dir: str = "data"
    """From the working directory on."""
    changes_kept: int = 1_000_000
    """Commits whose changes a reader that was away is told; 0: all."""
    checkpoint_commits: int = 100_000
    """Commits after which a checkpoint is written, and at the stop; 0: never."""


class Streams(Section, frozen=True):
    """`[streams]`: how often a stream's state is pushed at most, and in which form."""

    orderbook_interval_ms: int = 100
    kline_interval_ms: int = 250
    deflate: bool = False
    """Agree to permessage-deflate with clients that offer it."""


class Keys(Section, frozen=True):
    """`[keys]`: what holds for all of them."""

    signed_streams: bool = False
    """Private streams want a signature, whatever key they are asked for with."""
    master_key_file: str | None = None
    """From the working directory on; without one, the file in the data folder."""


class Admin(Section, frozen=True):
    """`[admin]`: the operator's port."""

    host: str = "127.0.0.1"
    port: int = 8444
    """0: off."""
    allow_remote: bool = False
    """Listen on an address that others can reach; it speaks no TLS."""
    token_file: str | None = None
    """From the working directory on; without one, the file in the data folder."""


class Log(Section, frozen=True):
    """`[log]`: what is written to the standard error."""

    level: str = "info"
    format: str = "text"


class InstrumentTerms(Section, frozen=True):
    """`[[instruments]]`; see `Instrument.define`."""

    symbol: str
    base: str
    quote: str
    tick_size: str
    lot_size: str
    min_lots: int = 1
    max_lots: int = 100_000_000_000
    maker_fee: str = "0"
    taker_fee: str = "0"

    def define(self) -> Instrument:
        """The instrument. Raises ValueError that names the value at fault."""
        return Instrument.define(**msgspec.structs.asdict(self))


class ApiKey(Section, frozen=True):
    """`[[accounts.keys]]`."""

    api_key: str
    secret: str | None = None
    """Of an HMAC key."""
    permissions: tuple[str, ...] = ("read",)
    kind: str = "hmac"
    public_key: str | None = None
    """Of an Ed25519 key: PEM, or base64 of its 32 bytes."""
    networks: tuple[str, ...] = ()
    """Addresses or networks whence it may be used; none: from everywhere."""
    signed_streams: bool = False
    label: str = ""

    def request(self, account: str) -> KeyRequest:
        """All but the key itself and its secret."""
        return KeyRequest(
            account=account,
            kind=self.kind,
            permissions=self.permissions,
            networks=self.networks,
            signed_streams=self.signed_streams,
            label=self.label,
            public_key=self.public_key,
        )


class Account(Section, frozen=True):
    """`[[accounts]]`: made on the first start, deposits once."""

    name: str
    deposits: dict[str, str] = {}
    """Decimal amounts by asset."""
    keys: tuple[ApiKey, ...] = ()

    def deposit_units(self) -> dict[str, int]:
        """The deposits in each asset's smallest unit. Raises ValueError."""
        return {asset: ASSET_UNIT.count(amount) for asset, amount in self.deposits.items()}


class Config(Section, frozen=True):
    """The whole file."""

    server: Server = Server()
    data: Data = Data()
    streams: Streams = Streams()
    limits: Limits = Limits()
    keys: Keys = Keys()
    admin: Admin = Admin()
    log: Log = Log()
    instruments: tuple[InstrumentTerms, ...] = ()
    accounts: tuple[Account, ...] = ()


def load(
    path: Path,
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    *,
    tls_dev: bool = False,
) -> Config:
    """Read a file; what else is given stands in place of what it says. Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {error.reason} at byte {error.start}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    for section, name, value in (
        ("server", "host", host),
        ("server", "port", port),
        ("server", "tls_dev", tls_dev or None),
        ("data", "dir", None if data_dir is None else str(data_dir)),
    ):
        if value is not None and isinstance(values.setdefault(section, {}), dict):
            values[section][name] = value
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise _located(path, text, values, str(error)) from None
    for place, reason in _faults(config):
        raise _located(path, text, values, f"{reason} - at `{place}`")
    return config


def _faults(config: Config) -> Iterator[Fault]:
    """What the types can't say."""
    yield from _server_faults(config.server)
    yield from _admin_faults(config.admin)
    for name, value, known in (
        ("level", config.log.level, LEVELS),
        ("format", config.log.format, FORMATS),
    ):
        if value not in known:
            yield f"$.log.{name}", f"there are {', '.join(known)}"
    for section in ("server", "data", "streams", "limits"):
        for name, value in msgspec.structs.asdict(getattr(config, section)).items():
            if isinstance(value, int) and value < 0:
                yield f"$.{section}.{name}", f"{name} is {value}, less than 0"
    yield from _instrument_faults(config.instruments)
    yield from _account_faults(config)


def _server_faults(server: Server) -> Iterator[Fault]:
    if not 0 <= server.port <= 65535:
        yield "$.server.port", f"port {server.port} is not 0 to 65535"
    if (server.tls_cert is None) != (server.tls_key is None):
        yield "$.server", "tls_cert and tls_key go together"
    if server.tls_cert is not None and server.tls_dev:
        yield "$.server.tls_cert", "tls_cert and --tls-dev: one or the other"
    for index, text in enumerate(server.proxies):
        try:
            read_networks([text])
        except ValueError as error:
            yield f"$.server.proxies[{index}]", f"no address or network: {error}"
    has_tls = server.tls_cert is not None or server.tls_dev
    if not has_tls and not server.allow_plain and not _is_loopback(server.host):
        reason = f"{server.host} can be reached by others: set tls_cert and tls_key, or allow_plain"
        yield "$.server.host", reason


def _admin_faults(admin: Admin) -> Iterator[Fault]:
    if not 0 <= admin.port <= 65535:
        yield "$.admin.port", f"port {admin.port} is not 0 to 65535"
    if admin.port and not admin.allow_remote and not _is_loopback(admin.host):
        reason = (
            f"{admin.host} can be reached by others, and the operator's API speaks no TLS: "
            "use loopback, or set allow_remote"
        )
        yield "$.admin.host", reason


def _instrument_faults(instruments: tuple[InstrumentTerms, ...]) -> Iterator[Fault]:
    if not instruments:
        yield "$", "there is no [[instruments]]"
    symbols: set[str] = set()
    for index, terms in enumerate(instruments):
        place, symbol = f"$.instruments[{index}]", terms.symbol
        if symbol in symbols:
            yield f"{place}.symbol", f"{symbol} is there twice"
        symbols.add(symbol)
        if not SYMBOL.fullmatch(symbol):
            yield f"{place}.symbol", f"{symbol!r} is no symbol: {NAME_CHARACTERS}"
        try:
            terms.define()
        except ValueError as error:
            yield place, str(error)


def _account_faults(config: Config) -> Iterator[Fault]:
    assets = {asset for terms in config.instruments for asset in (terms.base, terms.quote)}
    names: set[str] = set()
    api_keys: set[str] = set()
    for index, account in enumerate(config.accounts):
        place, name = f"$.accounts[{index}]", account.name
        if name in names:
            yield f"{place}.name", f"{name} is there twice"
        names.add(name)
        if not ACCOUNT.fullmatch(name):
            yield f"{place}.name", f"{name!r} is no name: {NAME_CHARACTERS}"
        for asset in account.deposits:
            if asset not in assets:
                yield f"{place}.deposits.{asset}", f"no instrument trades {asset}"
        try:
            account.deposit_units()
        except ValueError as error:
            yield f"{place}.deposits", str(error)
        for number, key in enumerate(account.keys):
            yield from _key_faults(f"{place}.keys[{number}]", key, api_keys)


def _key_faults(place: str, key: ApiKey, api_keys: set[str]) -> Iterator[Fault]:
    """`api_keys` are those that stand before this one; it is added to them."""
    if key.api_key in api_keys:
        yield f"{place}.api_key", "the key is there twice"
    api_keys.add(key.api_key)
    if not key.api_key:
        yield f"{place}.api_key", "api_key must not be empty"
    for name, reason in check_key(key.request(""), key.secret):
        yield f"{place}.{name}", reason


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_SHOWN = {
    "allow_remote", "host", "kind", "label", "master_key_file", "networks", "permissions", "port",
    "signed_streams", "token_file",
}  # fmt: skip
"""What is no secret under a key or the operator's port. All else may be one, misspelled or misplaced."""

_FAULT = re.compile(r"(?P<reason>.*?)(?: - at `(?P<place>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")


def _located(path: Path, text: str, values: dict[str, Any], fault: str) -> ConfigError:
    """The fault with its line and value."""
    match = _FAULT.fullmatch(fault)
    assert match is not None
    reason, place = match["reason"], match["place"] or "$"
    unknown = _UNKNOWN.fullmatch(reason)
    if unknown is not None:
        place, reason = f"{place}.{unknown['name']}", f"unknown key {unknown['name']}"
    steps = steps_of(place)
    name = ".".join(f"[{step + 1}]" if isinstance(step, int) else step for step in steps)
    where = f"{path}:{line_of(text, steps)}"
    shown = _shown(values, steps, whole=place.endswith("[...]"))
    return ConfigError(f"{where}: {name.replace('.[', '[') or 'the file'}: {reason}{shown}")


def _shown(values: dict[str, Any], steps: list[Step], *, whole: bool) -> str:
    """The value at `steps`, if there is one; a table only as a `whole`, and never a secret."""
    value: Any = values
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    is_table = isinstance(value, dict) or (isinstance(value, list) and dict in map(type, value))
    if is_table and not whole:
        return ""
    if {"keys", "admin"} & {*steps} and not _SHOWN & {*steps}:
        return ""
    return f" (it is {value!r})"
