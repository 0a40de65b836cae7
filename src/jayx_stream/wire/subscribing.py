"""From a subscription's message to its channel. Every value that can't be is named in the refusal."""

import re
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from jayx_stream.model.instrument import CATEGORY
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.views import INTERVALS_S
from jayx_stream.wire.access import RECV_WINDOW_MAX_MS, RECV_WINDOW_MS, Signature
from jayx_stream.wire.channels import (
    DEPTH_DEFAULT,
    DEPTHS,
    PRECISE_MAX,
    PRECISES,
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from jayx_stream.wire.errors import ProtocolError

LIMIT_MAX = 1000
"""Klines that `limit` may ask for."""

DELTA = "delta"
"""The `mode` of a book whose changes are told."""

_FIELD = re.compile(r" - at `\$\.(\w+)`$")
"""In a decoder's complaint, the field of the message that it is about."""

_NAMED_CHARACTERS_MAX = 60
"""Of a value at fault."""


class _Decoders(dict[Any, msgspec.json.Decoder[Any]]):
    """By form. Kept: for some, to make one costs more than to decode."""

    def __missing__(self, form: Any) -> msgspec.json.Decoder[Any]:
        decoder = self[form] = msgspec.json.Decoder(form)
        return decoder


_DECODERS = _Decoders()


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
    mode: str | None = None


class PrivateRequest(Struct, rename="camel"):
    """What the messages of private streams have in common."""

    api_key: str
    category: str
    since: int | None = None
    epoch: str | None = None
    timestamp: int | str | None = None
    """With `sign`: when it was signed, milliseconds since the epoch."""
    sign: str | None = None
    recv_window: int = RECV_WINDOW_MS


class PositionsRequest(PrivateRequest):
    """The message of `positions`."""


class OpenOrdersRequest(PrivateRequest):
    """The message of `openorders`."""

    symbol: str | None = None


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


AccountOf = Callable[[str, PrivateRequest], str]
"""From an event and its message to the account that may be read by it. Raises ProtocolError."""


def read_subscription(
    event: str, message: Raw | UnsetType, symbols: Container[str], account_of: AccountOf
) -> Subscription:
    """Read the message of a subscription event. Raises ProtocolError. The account is asked for at
    last: what is wrong with the rest uses no signature up.
    """
    read = _READERS.get(event)
    if read is None:
        reason = f"no stream {event!r}; there are {', '.join(_READERS)}"
        raise ProtocolError(ErrorCode.UNKNOWN_EVENT, reason)
    if message is UNSET:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"{event} needs a message")
    return read(message, symbols, account_of)


def read_signature(
    event: str, api_key: str, timestamp: int | str | None, sign: str | None, window_ms: int
) -> Signature | None:
    """What signs a stream's request, if anything does. Raises ProtocolError BAD_REQUEST."""
    if timestamp is None and sign is None:
        return None
    if timestamp is None or sign is None:
        there, missing = ("sign", "timestamp") if timestamp is None else ("timestamp", "sign")
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"{there} needs a {missing} beside it")
    if _integer(str(timestamp)) < 0:
        reason = f"timestamp {timestamp!r} is not a whole number of milliseconds"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    if not 1 <= window_ms <= RECV_WINDOW_MAX_MS:
        reason = f"recvWindow {window_ms} is not a whole number from 1 to {RECV_WINDOW_MAX_MS}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    signed = f"GET/stream/{event}".encode()
    return Signature(api_key, str(timestamp), sign, signed, window_ms)


def decode(message: bytes | UnsetType, form: type[Form]) -> Form:
    """Decode a message into its typed form; of a field that stands there twice the last counts.
    Raises ProtocolError BAD_JSON or BAD_REQUEST.
    """
    if message is UNSET:
        raise ProtocolError(ErrorCode.BAD_REQUEST, "the request needs a message")
    try:
        decoded: Form = _DECODERS[form].decode(message)
    except msgspec.ValidationError as error:
        raise ProtocolError(ErrorCode.BAD_REQUEST, _naming(str(error), message)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(ErrorCode.BAD_JSON, str(error)) from None
    except RecursionError:
        raise ProtocolError(ErrorCode.BAD_JSON, "the request is nested too deeply") from None
    return decoded


def ignored(message: bytes | UnsetType, form: type[Struct]) -> tuple[str, ...]:
    """Fields of a message that mean nothing to its form."""
    known = form.__struct_encode_fields__
    return tuple([name for name in decode(message, dict[str, Raw]) if name not in known])


def _naming(complaint: str, message: bytes) -> str:
    """The complaint with the value that it is about, if that is a field of the message."""
    field = _FIELD.search(complaint)
    if field is not None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            value = bytes(msgspec.json.decode(message, type=dict[str, Raw])[field[1]]).decode()
            if len(value) > _NAMED_CHARACTERS_MAX:
                value = f"{value[:_NAMED_CHARACTERS_MAX]}…"
            return f"{complaint}: {value}"
    return complaint


def _kline(message: Raw, symbols: Container[str], account_of: AccountOf) -> Subscription:
    request = decode(message, KlineRequest)
    _check_names(request.category, request.symbol, symbols)
    interval_s = check_interval(request.interval)
    if not 0 <= request.limit <= LIMIT_MAX:
        reason = f"limit {request.limit} is not within 0 and {LIMIT_MAX}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    channel = KlineChannel(request.symbol, interval_s)
    return Subscription(channel, request.limit, ignored=ignored(message, KlineRequest))


def _orderbook(message: Raw, symbols: Container[str], account_of: AccountOf) -> Subscription:
    request = decode(message, OrderbookRequest)
    _check_names(request.category, request.symbol, symbols)
    precise, depth = check_precise(request.precise), check_depth(request.depth)
    if request.mode not in (None, DELTA):
        reason = f"no mode {request.mode!r}; there is {DELTA}, and without a mode the whole book"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    channel = OrderbookChannel(request.symbol, precise, depth, request.mode == DELTA)
    return Subscription(channel, ignored=ignored(message, OrderbookRequest))


def _positions(message: Raw, symbols: Container[str], account_of: AccountOf) -> Subscription:
    request = decode(message, PositionsRequest)
    _check_names(request.category, None, symbols)
    since = _since(request)
    channel = PositionsChannel(account_of(PositionsChannel.event, request))
    return Subscription(channel, since=since, ignored=_ignored_privately(message, request))


def _openorders(message: Raw, symbols: Container[str], account_of: AccountOf) -> Subscription:
    request = decode(message, OpenOrdersRequest)
    _check_names(request.category, request.symbol, symbols)
    since = _since(request)
    channel = OpenOrdersChannel(account_of(OpenOrdersChannel.event, request), request.symbol)
    return Subscription(channel, since=since, ignored=_ignored_privately(message, request))


_READERS: dict[str, Callable[[Raw, Container[str], AccountOf], Subscription]] = {
    KlineChannel.event: _kline,
    OrderbookChannel.event: _orderbook,
    PositionsChannel.event: _positions,
    OpenOrdersChannel.event: _openorders,
}

STREAM_EVENTS = tuple(_READERS)
"""Those that subscribe."""


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
    if value not in PRECISES:
        reason = f"precise {precise!r} is not a power of ten from 1 to {PRECISE_MAX}"
        raise ProtocolError(ErrorCode.BAD_PRECISE, reason)
    return value


def check_depth(depth: int) -> int:
    """Levels of each half. Raises ProtocolError BAD_DEPTH."""
    if depth not in DEPTHS:
        allowed = ", ".join(map(str, DEPTHS))
        raise ProtocolError(ErrorCode.BAD_DEPTH, f"no depth {depth}; there are {allowed}")
    return depth


def _check_names(category: str, symbol: str | None, symbols: Container[str]) -> None:
    if category != CATEGORY:
        reason = f"no category {category!r}; there is {CATEGORY}"
        raise ProtocolError(ErrorCode.UNKNOWN_CATEGORY, reason)
    if symbol is not None:
        check_symbol(symbol, symbols)


def _since(request: PrivateRequest) -> Since | None:
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


def _ignored_privately(message: Raw, request: PrivateRequest) -> tuple[str, ...]:
    """The same of a private stream, where some fields mean nothing without another one."""
    meaningless = set()
    if request.since is None:
        meaningless.add("epoch")
    if request.sign is None:
        meaningless.add("recvWindow")
    given = decode(message, dict[str, Raw])
    known = type(request).__struct_encode_fields__
    return tuple(name for name in given if name not in known or name in meaningless)
