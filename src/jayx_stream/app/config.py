"""The configuration: one TOML file, read into frozen structs. What can't be is named with its line."""

import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from jayx_stream.app.toml_lines import Step, line_of, steps_of
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.units import ASSET_UNIT
from jayx_stream.wire.limits import Limits

PERMISSIONS = ("read", "trade")

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
    origins: tuple[str, ...] = ()
    """Pages that may connect, beside the server's own: `https://example.org`."""


class Data(Section, frozen=True):
    """`[data]`: what is kept."""

    dir: str = "data"
    """From the working directory on."""
    changes_kept: int = 1_000_000
    """Commits whose changes a reader that was away is told; 0: all."""
    checkpoint_commits: int = 100_000
    """Commits after which a checkpoint is written, and at the stop; 0: never."""


class Streams(Section, frozen=True):
    """`[streams]`: how often a stream's state is pushed at most."""

    orderbook_interval_ms: int = 100
    kline_interval_ms: int = 250


class Admin(Section, frozen=True):
    """`[admin]`: the operator's port."""

    host: str = "127.0.0.1"
    port: int = 8444


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
    secret: str
    permissions: tuple[str, ...] = ("read",)


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
    admin: Admin = Admin()
    instruments: tuple[InstrumentTerms, ...] = ()
    accounts: tuple[Account, ...] = ()


def load(
    path: Path, host: str | None = None, port: int | None = None, data_dir: Path | None = None
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
    for section in ("data", "streams", "limits"):
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
    if server.tls_cert is None and not server.allow_plain and not _is_loopback(server.host):
        reason = f"{server.host} can be reached by others: set tls_cert and tls_key, or allow_plain"
        yield "$.server.host", reason


def _instrument_faults(instruments: tuple[InstrumentTerms, ...]) -> Iterator[Fault]:
    if not instruments:
        yield "$", "there is no [[instruments]]"
    symbols: set[str] = set()
    for index, terms in enumerate(instruments):
        place, symbol = f"$.instruments[{index}]", terms.symbol
        if symbol in symbols:
            yield f"{place}.symbol", f"{symbol} is there twice"
        symbols.add(symbol)
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", symbol):
            yield f"{place}.symbol", f"{symbol!r} is no symbol: letters, digits, . _ -"
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
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
            yield f"{place}.name", f"{name!r} is no name: letters, digits, . _ -"
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
    if not key.api_key or not key.secret:
        yield place, "api_key and secret must not be empty"
    unknown = [each for each in key.permissions if each not in PERMISSIONS]
    if unknown:
        reason = f"no permission {', '.join(unknown)}; there are {', '.join(PERMISSIONS)}"
        yield f"{place}.permissions", reason


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
    if steps[-1:] == ["secret"] or (isinstance(value, dict) and not whole):
        return ""
    return f" (it is {value!r})"
