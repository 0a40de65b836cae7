"""One client's side of the protocol, without a socket: texts in, what is to be done out.

Rule: requests are done in the order in which they came, and an answer stands before what it leads to.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from jayx_stream.model.reasons import CloseCode, ErrorCode
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits, TokenBucket
from jayx_stream.wire.messages import (
    Ack,
    Answer,
    ErrorAnswer,
    ErrorMessage,
    Notice,
    NoticeMessage,
    Pong,
)
from jayx_stream.wire.subscribing import Directory, decode, read_subscription

BATCH_MAX = 100
"""Requests in one frame."""

ID_CHARACTERS_MAX = 64

REFUSED_IN_A_ROW_MAX = 10
"""Requests over the rate before the connection is closed."""


class Request(Struct):
    """The envelope of a request; `data` is accepted in place of `message`."""

    event: str
    message: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    id: int | str | None = None


class _Identified(Struct):
    """As much of a request as its answer needs."""

    id: int | Annotated[str, Meta(max_length=ID_CHARACTERS_MAX)] | None = None


class StreamName(Struct, omit_defaults=True):
    """The message of `unsubscribe`: a stream's name, or an event beside its own message."""

    stream: str | UnsetType = UNSET
    event: str | UnsetType = UNSET


class Reply(Struct, frozen=True):
    """To be sent to this client."""

    answer: Answer


class Subscribe(Struct, frozen=True):
    """From now on this client reads the channel; it gets the present state at once."""

    channel: Channel
    history: int
    """Closed klines to be sent before."""
    reset: bool = False
    """Whether the client had asked for changes after a commit that this log does not have."""


class Resume(Struct, frozen=True):
    """From now on this client reads the channel; it gets every change after the commit at once."""

    channel: Channel
    seq: int


class Unsubscribe(Struct, frozen=True):
    """This client reads the channel no more."""

    channel: Channel


class Close(Struct, frozen=True):
    """End the connection with this code."""

    code: CloseCode
    reason: str


Action = Reply | Subscribe | Resume | Unsubscribe | Close


class Session:
    """The state of one client: what it reads."""

    def __init__(self, directory: Directory, limits: Limits, *, epoch: str, address: str) -> None:
        """`epoch` is the log's; `address` the client's, for counting failed keys."""
        self._directory = directory
        self._limits = limits
        self._epoch = epoch
        self._address = address
        self._channels: dict[str, Channel] = {}
        self._requests = TokenBucket(limits.requests_per_s, limits.requests_burst)
        self._refused_in_a_row = 0

    def receive(self, text: bytes, *, now_s: float, ts_ms: int) -> Iterator[Action]:
        """Take one message in, a request or an array of them. What is wrong with a request is
        answered; nothing is raised. `now_s` is for rates and never goes back, `ts_ms` is the
        server's time.
        """
        try:
            texts = self._split(text)
        except ProtocolError as error:
            texts = []
            if self._requests.take(now_s):
                self._refused_in_a_row = 0
                yield _error(None, error, UNSET)
            else:
                yield from self._refuse(None)
        for each in texts:
            if self._requests.take(now_s):
                self._refused_in_a_row = 0
                yield from self._receive_one(each, ts_ms)
            else:
                yield from self._refuse(each)

    def _refuse(self, text: Raw | None) -> Iterator[Action]:
        limits = self._limits
        self._refused_in_a_row += 1
        reason = (
            f"more than {limits.requests_per_s} requests a second, "
            f"after {limits.requests_burst} at once"
        )
        yield _error(_id_of(text), ProtocolError(ErrorCode.RATE_LIMITED, reason), UNSET)
        if self._refused_in_a_row == REFUSED_IN_A_ROW_MAX:
            yield Close(CloseCode.FLOODING, reason)

    def _split(self, text: bytes) -> list[Raw]:
        try:
            if not text.lstrip().startswith(b"["):
                return [msgspec.json.decode(text, type=Raw)]
            requests = msgspec.json.decode(text, type=list[Raw])
        except msgspec.DecodeError as error:
            raise ProtocolError(ErrorCode.BAD_JSON, str(error)) from None
        except RecursionError:
            raise ProtocolError(ErrorCode.BAD_JSON, "the text is nested too deeply") from None
        if not 1 <= len(requests) <= BATCH_MAX:
            reason = f"a batch of {len(requests)} requests; 1 to {BATCH_MAX} are allowed"
            raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
        return requests

    def _receive_one(self, text: Raw, ts_ms: int) -> Iterator[Action]:
        try:
            actions = list(self._act(_read(text), ts_ms))
        except ProtocolError as error:
            yield _error(_id_of(text), error, text)
            return
        yield from actions

    def _act(self, request: Request, ts_ms: int) -> Iterator[Action]:
        message = request.message if request.message is not UNSET else request.data
        match request.event:
            case "ping":
                request_id = UNSET if request.id is None else request.id
                yield Reply(Pong("pong", request_id, ts_ms))
            case "subscriptions":
                yield from _ack(request, {"streams": list(self._channels)})
            case "unsubscribe":
                yield from self._unsubscribe(request, message)
            case _:
                yield from self._subscribe(request, message)

    def _subscribe(self, request: Request, message: Raw | UnsetType) -> Iterator[Action]:
        wanted = read_subscription(request.event, message, self._directory, self._address)
        name = wanted.channel.name
        streams_max = self._limits.streams_per_connection
        if name not in self._channels and 0 < streams_max <= len(self._channels):
            reason = f"{name} would be one more than {streams_max} streams"
            raise ProtocolError(ErrorCode.TOO_MANY_STREAMS, reason)
        self._channels[name] = wanted.channel
        ack: dict[str, Any] = {"stream": name, "epoch": self._epoch}
        if wanted.ignored:
            ack["ignored"] = wanted.ignored
        yield from _ack(request, ack)
        if wanted.since is not None and wanted.since.epoch == self._epoch:
            yield Resume(wanted.channel, wanted.since.seq)
        else:
            yield Subscribe(wanted.channel, wanted.history, reset=wanted.since is not None)

    def _unsubscribe(self, request: Request, message: Raw | UnsetType) -> Iterator[Action]:
        wanted = decode(message, StreamName)
        if wanted.stream is not UNSET:
            name = wanted.stream
        elif wanted.event is not UNSET:
            name = read_subscription(
                wanted.event, message, self._directory, self._address
            ).channel.name
        else:
            raise ProtocolError(ErrorCode.BAD_REQUEST, "unsubscribe needs a stream or an event")
        channel = self._channels.pop(name, None)
        if channel is None:
            raise ProtocolError(ErrorCode.NOT_SUBSCRIBED, f"no stream {name} on this connection")
        yield from _ack(request, {"stream": name})
        yield Unsubscribe(channel)


def notice(code: str, seconds: int) -> Notice:
    """What announces a planned stop."""
    return Notice("notice", NoticeMessage(code, seconds))


def _read(text: Raw) -> Request:
    request = decode(text, Request)
    if isinstance(request.id, str) and len(request.id) > ID_CHARACTERS_MAX:
        reason = f"an id has at most {ID_CHARACTERS_MAX} characters, not {len(request.id)}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
    return request


def _id_of(text: Raw | None) -> int | str | None:
    """The id of a request, whatever else is wrong with it."""
    if text is not None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(text, type=_Identified).id
    return None


def _ack(request: Request, message: dict[str, Any]) -> Iterator[Action]:
    if request.id is not None:
        yield Reply(Ack("ack", request.id, message))


def _error(request_id: int | str | None, error: ProtocolError, request: Raw | UnsetType) -> Reply:
    answered = UNSET if request_id is None else request_id
    message = ErrorMessage(error.code, error.reason, request)
    return Reply(ErrorAnswer("error", answered, message))
