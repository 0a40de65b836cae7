"""The configuration: one TOML file, read into frozen structs. What can't be is named with its line."""

import re
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.units import ASSET_UNIT
from jayx_stream.wire.limits import Limits

PERMISSIONS = ("read", "trade")


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
    """Path of a PEM file, from the configuration file on; without one there is no TLS."""
    tls_key: str | None = None
    allow_plain: bool = False
    """Listen without TLS on an address that others can reach: for a TLS proxy in front."""
    origins: tuple[str, ...] = ()
    """Pages that may connect, beside the server's own: `https://example.org`."""


class Data(Section, frozen=True):
    """`[data]`: what is kept."""

    dir: str = "data"
    """From the working directory on."""


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


def load(path: Path) -> Config:
    """Read a file. Raises ConfigError."""
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
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise _located(path, text, values, str(error)) from None
    for place, reason in _faults(config):
        raise _located(path, text, values, f"{reason} - at `{place}`")
    return config


def _faults(config: Config) -> list[tuple[str, str]]:
    """What the types can't say: place and reason of each value that can't be."""
    faults: list[tuple[str, str]] = []

    def check(place: str, fine: bool, reason: str) -> None:
        if not fine:
            faults.append((place, reason))

    server = config.server
    check("$.server.port", 0 <= server.port <= 65535, f"port {server.port} is not 0 to 65535")
    both = (server.tls_cert is None) == (server.tls_key is None)
    check("$.server", both, "tls_cert and tls_key go together")
    open_plain = (
        server.tls_cert is None and not server.allow_plain and not _is_loopback(server.host)
    )
    reason = f"{server.host} can be reached by others: set tls_cert and tls_key, or allow_plain"
    check("$.server.host", not open_plain, reason)
    for section in ("streams", "limits"):
        for name, value in msgspec.structs.asdict(getattr(config, section)).items():
            check(f"$.{section}.{name}", value >= 0, f"{name} is {value}, less than 0")
    check("$", bool(config.instruments), "there is no [[instruments]]")
    symbols: set[str] = set()
    for index, terms in enumerate(config.instruments):
        place = f"$.instruments[{index}]"
        check(f"{place}.symbol", terms.symbol not in symbols, f"{terms.symbol} is there twice")
        fine = re.fullmatch(r"[A-Za-z0-9._-]{1,32}", terms.symbol) is not None
        check(f"{place}.symbol", fine, f"{terms.symbol!r} is no symbol: letters, digits, . _ -")
        symbols.add(terms.symbol)
        try:
            terms.define()
        except ValueError as error:
            check(place, False, str(error))
    assets = {asset for terms in config.instruments for asset in (terms.base, terms.quote)}
    names: set[str] = set()
    for index, account in enumerate(config.accounts):
        place = f"$.accounts[{index}]"
        check(f"{place}.name", account.name not in names, f"{account.name} is there twice")
        fine = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", account.name) is not None
        check(f"{place}.name", fine, f"{account.name!r} is no name: letters, digits, . _ -")
        names.add(account.name)
        for asset in account.deposits:
            reason = f"no instrument trades {asset}"
            check(f"{place}.deposits.{asset}", asset in assets, reason)
        try:
            account.deposit_units()
        except ValueError as error:
            check(f"{place}.deposits", False, str(error))
        for number, key in enumerate(account.keys):
            unknown = [each for each in key.permissions if each not in PERMISSIONS]
            reason = f"no permission {', '.join(unknown)}; there are {', '.join(PERMISSIONS)}"
            check(f"{place}.keys[{number}].permissions", not unknown, reason)
    return faults


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_FAULT = re.compile(r"(?P<reason>.*?)(?: - at `(?P<place>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]")


def _located(path: Path, text: str, values: dict[str, Any], fault: str) -> ConfigError:
    """The fault with its line and value."""
    match = _FAULT.fullmatch(fault)
    assert match is not None
    reason, place = match["reason"], match["place"] or "$"
    unknown = _UNKNOWN.fullmatch(reason)
    if unknown is not None:
        place, reason = f"{place}.{unknown['name']}", f"unknown key {unknown['name']}"
    steps = [int(step[1:-1]) if step[0] == "[" else step for step in _steps(place)]
    value: Any = values
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    shown = f" (it is {value!r})" if isinstance(value, str | int | float | list) else ""
    name = ".".join(f"[{step + 1}]" if isinstance(step, int) else step for step in steps)
    where = f"{path}:{_line(text, steps)}"
    return ConfigError(f"{where}: {name.replace('.[', '[') or 'the file'}: {reason}{shown}")


def _steps(place: str) -> list[str]:
    return re.findall(r"\[\d+\]|[^.\[\]$]+", place)


def _line(text: str, steps: list[str | int]) -> int:
    """The line on which the value at `steps` stands, or its table begins; 1 if neither is found."""
    found, table, counts = 1, [], dict[str, int]()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None:
            table = _table(header[2], array=header[1] == "[[", counts=counts)
            here = table
        elif "=" in line and not line.lstrip().startswith("#"):
            here = [*table, *line.split("=", 1)[0].strip().strip('"').split(".")]
        else:
            continue
        if here == steps[: len(here)] and here:
            found = number
    return found


def _table(name: str, *, array: bool, counts: dict[str, int]) -> list[str | int]:
    """The steps to a table whose header stands here; `counts` are the elements of arrays so far."""
    if array:
        counts[name] = counts.get(name, -1) + 1
        for inner in [each for each in counts if each.startswith(f"{name}.")]:
            del counts[inner]
    steps: list[str | int] = []
    prefix = ""
    for part in name.split("."):
        prefix = f"{prefix}.{part}" if prefix else part
        steps.append(part)
        if prefix in counts:
            steps.append(counts[prefix])
    return steps
