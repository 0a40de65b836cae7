"""From a subscription's message to its channel. Every value that can't be is named in the refusal."""

from collections.abc import Callable, Container
from typing import Protocol, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from jayx_stream.model.instrument import CATEGORY
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.views import INTERVALS_S
from jayx_stream.wire.channels import (
    DEPTH_DEFAULT,
    DEPTHS,
    PRECISE_MAX,
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from jayx_stream.wire.errors import ProtocolError

LIMIT_MAX = 1000
"""Klines that `limit` may ask for."""

_PRECISES = frozenset(10**power for power in range(len(str(PRECISE_MAX))))


class Directory(Protocol):
    """Whom and what a request may name."""

    @property
    def symbols(self) -> Container[str]:
        """The instruments that are listed."""
        ...

    def account_of(self, api_key: str, address: str) -> str:
        """The account that the key may read. Raises ProtocolError: UNAUTHORIZED if there is no such
        key, FORBIDDEN if it may not read, RATE_LIMITED after too many failures from `address`.
        """
        ...


class KlineRequest(Struct):
    """The message of `kline`."""

    category: str
    symbol: str
    interval: str | int
    limit: int = 0


class OrderbookRequest(Struct):
    """The message of `orderbook`."""

    category: str
    symbol: str
    precise: str | int = 1
    depth: int = DEPTH_DEFAULT


class PositionsRequest(Struct, rename="camel"):
    """The message of `positions`."""

    api_key: str
    category: str
    since: int | None = None
    epoch: str | None = None


class OpenOrdersRequest(Struct, rename="camel"):
    """The message of `openorders`."""

    api_key: str
    category: str
    symbol: str | None = None
    since: int | None = None
    epoch: str | None = None


class Since(Struct, frozen=True):
    """Where a reader wants to go on."""

    seq: int
    """The last commit whose changes it has."""
    epoch: str
    """Of the log that the commit stands in."""


class Subscription(Struct):
    """A channel that was asked for, and how."""

    channel: Channel
    history: int = 0
    """Closed klines wanted before the first push."""
    since: Since | None = None
    """In place of the first push, all changes after this."""
    ignored: tuple[str, ...] = ()
    """Fields of the message that mean nothing."""


Form = TypeVar("Form")


def read_subscription(
    event: str, message: Raw | UnsetType, directory: Directory, address: str
) -> Subscription:
    """Read the message of a subscription event. Raises ProtocolError."""
    read = _READERS.get(event)
    if read is None:
        known = ", ".join([*_READERS, "unsubscribe", "subscriptions", "ping"])
        raise ProtocolError(ErrorCode.UNKNOWN_EVENT, f"no event {event!r}; there are {known}")
    if message is UNSET:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"{event} needs a message")
    return read(message, directory, address)


def decode(message: Raw | UnsetType, form: type[Form]) -> Form:
    """Decode a message into its typed form. Raises ProtocolError BAD_JSON or BAD_REQUEST."""
    if message is UNSET:
        raise ProtocolError(ErrorCode.BAD_REQUEST, "the request needs a message")
    try:
        return msgspec.json.decode(message, type=form)
    except msgspec.ValidationError as error:
        raise ProtocolError(ErrorCode.BAD_REQUEST, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(ErrorCode.BAD_JSON, str(error)) from None
    except RecursionError:
        raise ProtocolError(ErrorCode.BAD_JSON, "the request is nested too deeply") from None


def _kline(message: Raw, directory: Directory, address: str) -> Subscription:
    request = decode(message, KlineRequest)
    _check_names(request.category, request.symbol, directory)
    interval_s = check_interval(request.interval)
    if not 0 <= request.limit <= LIMIT_MAX:
        reason = f"limit {request.limit} is not within 0 and {LIMIT_MAX}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    channel = KlineChannel(request.symbol, interval_s)
    return Subscription(channel, request.limit, ignored=_ignored(message, KlineRequest))


def _orderbook(message: Raw, directory: Directory, address: str) -> Subscription:
    request = decode(message, OrderbookRequest)
    _check_names(request.category, request.symbol, directory)
    precise, depth = check_precise(request.precise), check_depth(request.depth)
    channel = OrderbookChannel(request.symbol, precise, depth)
    return Subscription(channel, ignored=_ignored(message, OrderbookRequest))


def _positions(message: Raw, directory: Directory, address: str) -> Subscription:
    request = decode(message, PositionsRequest)
    _check_names(request.category, None, directory)
    account = directory.account_of(request.api_key, address)
    channel = PositionsChannel(account)
    return Subscription(channel, since=_since(request), ignored=_ignored(message, PositionsRequest))


def _openorders(message: Raw, directory: Directory, address: str) -> Subscription:
    request = decode(message, OpenOrdersRequest)
    _check_names(request.category, request.symbol, directory)
    account = directory.account_of(request.api_key, address)
    channel = OpenOrdersChannel(account, request.symbol)
    ignored = _ignored(message, OpenOrdersRequest)
    return Subscription(channel, since=_since(request), ignored=ignored)


_READERS: dict[str, Callable[[Raw, Directory, str], Subscription]] = {
    KlineChannel.event: _kline,
    OrderbookChannel.event: _orderbook,
    PositionsChannel.event: _positions,
    OpenOrdersChannel.event: _openorders,
}


def check_symbol(symbol: str, symbols: Container[str]) -> None:
    """Raises ProtocolError UNKNOWN_SYMBOL."""
    if symbol not in symbols:
        reason = f"no instrument {symbol} in category {CATEGORY}"
        raise ProtocolError(ErrorCode.UNKNOWN_SYMBOL, reason)


def check_interval(interval: str | int) -> int:
    """A kline's length in seconds. Raises ProtocolError BAD_INTERVAL."""
    interval_s = _integer(interval)
    if interval_s not in INTERVALS_S:
        allowed = ", ".join(map(str, INTERVALS_S))
        reason = f"no interval {interval!r}; in seconds there are {allowed}"
        raise ProtocolError(ErrorCode.BAD_INTERVAL, reason)
    return interval_s


def check_precise(precise: str | int) -> int:
    """A level's width in ticks. Raises ProtocolError BAD_PRECISE."""
    value = _integer(precise)
    if value not in _PRECISES:
        reason = f"precise {precise!r} is not a power of ten from 1 to {PRECISE_MAX}"
        raise ProtocolError(ErrorCode.BAD_PRECISE, reason)
    return value


def check_depth(depth: int) -> int:
    """Levels of each half. Raises ProtocolError BAD_DEPTH."""
    if depth not in DEPTHS:
        allowed = ", ".join(map(str, DEPTHS))
        raise ProtocolError(ErrorCode.BAD_DEPTH, f"no depth {depth}; there are {allowed}")
    return depth


def _check_names(category: str, symbol: str | None, directory: Directory) -> None:
    if category != CATEGORY:
        reason = f"no category {category!r}; there is {CATEGORY}"
        raise ProtocolError(ErrorCode.UNKNOWN_CATEGORY, reason)
    if symbol is not None:
        check_symbol(symbol, directory.symbols)


def _since(request: PositionsRequest | OpenOrdersRequest) -> Since | None:
    since, epoch = request.since, request.epoch
    if since is None:
        return None
    if epoch is None:
        reason = f"since {since} needs an epoch beside it: that of the ack under which it was read"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    if since < 0:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"since {since} is less than 0")
    return Since(since, epoch)


def _integer(value: str | int) -> int:
    """The number that a string or an integer gives, or -1: none of ours is negative."""
    if isinstance(value, int):
        return value
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else -1


def _ignored(message: Raw, form: type[Struct]) -> tuple[str, ...]:
    given = decode(message, dict[str, Raw])
    known = set(form.__struct_encode_fields__)
    if "since" not in given or bytes(given["since"]) == b"null":
        known.discard("epoch")
    return tuple(name for name in given if name not in known)
