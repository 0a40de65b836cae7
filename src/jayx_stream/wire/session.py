"""One client's side of the protocol, without a socket: texts in, what is to be done out.

Rule: requests are done in the order in which they came, and an answer stands before what it leads to;
only that of an order waits for the exchange.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from jayx_stream.model.key import Permission
from jayx_stream.model.reasons import CloseCode, ErrorCode
from jayx_stream.wire.access import Caller, Directory
from jayx_stream.wire.actions import (
    Action,
    Close,
    Remember,
    Reply,
    Resume,
    Submit,
    Subscribe,
    Unsubscribe,
    error_answer,
)
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits, TokenBucket
from jayx_stream.wire.messages import Ack, Notice, NoticeMessage, Pong
from jayx_stream.wire.subscribing import (
    STREAM_EVENTS,
    PrivateRequest,
    decode,
    ignored,
    read_signature,
    read_subscription,
)
from jayx_stream.wire.trading import (
    TRADING_EVENTS,
    LoggedIn,
    LoginRequest,
    Present,
    StreamAnswer,
)

BATCH_MAX = 100
"""Requests in one frame."""

ID_CHARACTERS_MAX = 64

REFUSED_IN_A_ROW_MAX = 10
"""Requests over the rate before the connection is closed."""

EVENTS = (
    *STREAM_EVENTS,
    "unsubscribe",
    "subscriptions",
    "ping",
    "login",
    *TRADING_EVENTS,
)
"""All that a client may send."""


_NO_KEYS: frozenset[str] = frozenset()
_NONE_YET: Mapping[str, str] = MappingProxyType({})


class Request(Struct):
    """The envelope of a request; `data` is accepted in place of `message`."""

    event: str
    message: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    id: int | str | None = None


_decode_request = msgspec.json.Decoder(Request).decode


class _Identified(Struct):
    """As much of a request as its answer needs."""

    id: int | Annotated[str, Meta(max_length=ID_CHARACTERS_MAX)] | None = None


class StreamName(Struct, omit_defaults=True):
    """The message of `unsubscribe`: a stream's name, or an event beside its own message."""

    stream: str | UnsetType = UNSET
    event: str | UnsetType = UNSET


class Session:
    """The state of one client: what it reads, and for whom it trades."""

    __slots__ = (
        "_address",
        "_cancel_on_disconnect",
        "_channels",
        "_directory",
        "_epoch",
        "_limits",
        "_present",
        "_readers",
        "_refused_in_a_row",
        "_requests",
        "_trader",
        "key_ids",
    )

    def __init__(
        self,
        directory: Directory,
        present: Present,
        limits: Limits,
        *,
        epoch: str,
        address: str,
    ) -> None:
        """`epoch` is the log's; `address` the client's, for counting failed keys."""
        self._directory = directory
        self._present = present
        self._limits = limits
        self._epoch = epoch
        self._address = address
        self._channels: dict[str, Channel] = {}
        self._requests = TokenBucket(limits.requests_per_s, limits.requests_burst)
        self._refused_in_a_row = 0
        self._readers: Mapping[str, str] = _NONE_YET
        """Accounts by the keys that were good for reading them."""
        self._trader: Caller | None = None
        self._cancel_on_disconnect = False
        self.key_ids = _NO_KEYS
        """Of all keys that this client was let in by. Most clients come without one: like the readers they
        are made anew for each that there is.
        """

    @property
    def cancel_account(self) -> str | None:
        """Whose open orders are to be canceled when the connection ends; nobody's if None."""
        if self._trader is None or not self._cancel_on_disconnect:
            return None
        return self._trader.account

    def receive(self, text: bytes, *, now_s: float, ts_ms: int) -> Iterable[Action]:
        """Take one message in, a request or an array of them. What is wrong with a request is
        answered; nothing is raised. `now_s` is for rates and never goes back, `ts_ms` is the
        server's time.
        """
        try:
            request = _decode_request(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # An array, or what is wrong with it is to be told.
            return self._receive_any(text, now_s, ts_ms)
        raw = Raw(text.strip())
        if self._requests.take(now_s):
            self._refused_in_a_row = 0
            return self._receive_one(request, raw, ts_ms)
        return self._refuse(raw)

    def _receive_any(self, text: bytes, now_s: float, ts_ms: int) -> Iterator[Action]:
        try:
            texts = self._split(text)
        except ProtocolError as error:
            texts = []
            if self._requests.take(now_s):
                self._refused_in_a_row = 0
                yield Reply(error_answer(None, error, UNSET))
            else:
                yield from self._refuse(None)
        for each in texts:
            if self._requests.take(now_s):
                self._refused_in_a_row = 0
                try:
                    request = decode(each, Request)
                except ProtocolError as error:
                    yield Reply(error_answer(_id_of(each), error, each))
                else:
                    yield from self._receive_one(request, each, ts_ms)
            else:
                yield from self._refuse(each)

    def _refuse(self, text: Raw | None) -> Sequence[Action]:
        limits = self._limits
        self._refused_in_a_row += 1
        reason = (
            f"more than {limits.requests_per_s} requests a second, "
            f"after {limits.requests_burst} at once"
        )
        error = ProtocolError(ErrorCode.RATE_LIMITED, reason)
        reply = Reply(error_answer(_id_of(text), error, UNSET))
        if self._refused_in_a_row == REFUSED_IN_A_ROW_MAX:
            return reply, Close(CloseCode.FLOODING, reason)
        return (reply,)

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

    def _receive_one(self, request: Request, text: Raw, ts_ms: int) -> Sequence[Action]:
        try:
            return self._act(request, text, ts_ms)
        except ProtocolError as error:
            return (Reply(error_answer(_id_of(text), error, text)),)

    def _act(self, request: Request, text: Raw, ts_ms: int) -> Sequence[Action]:
        _check_id(request.id)
        message = request.message if request.message is not UNSET else request.data
        match request.event:
            case event if event in TRADING_EVENTS:
                return (self._trade(request, message, text),)
            case event if event in STREAM_EVENTS:
                return self._subscribe(request, message)
            case "ping":
                request_id = UNSET if request.id is None else request.id
                return (Reply(Pong("pong", request_id, ts_ms)),)
            case "subscriptions":
                return _ack(request, {"streams": list(self._channels)})
            case "unsubscribe":
                return self._unsubscribe(request, message)
            case "login":
                return self._log_in(request, message)
            case event:
                reason = f"no event {event!r}; there are {', '.join(EVENTS)}"
                raise ProtocolError(ErrorCode.UNKNOWN_EVENT, reason)

    def _subscribe(self, request: Request, message: Raw | UnsetType) -> Sequence[Action]:
        wanted = read_subscription(request.event, message, self._directory.symbols, self._admit)
        name = wanted.channel.name
        streams_max = self._limits.streams_per_connection
        if name not in self._channels and 0 < streams_max <= len(self._channels):
            reason = f"{name} would be one more than {streams_max} streams"
            raise ProtocolError(ErrorCode.TOO_MANY_STREAMS, reason)
        self._channels[name] = wanted.channel
        ack: dict[str, Any] = {"stream": name, "epoch": self._epoch}
        if wanted.ignored:
            ack["ignored"] = wanted.ignored
        if wanted.since is not None and wanted.since.epoch == self._epoch:
            return *_ack(request, ack), Resume(wanted.channel, wanted.since.seq)
        subscribe = Subscribe(wanted.channel, wanted.history, reset=wanted.since is not None)
        return *_ack(request, ack), subscribe

    def _unsubscribe(self, request: Request, message: Raw | UnsetType) -> Sequence[Action]:
        wanted = decode(message, StreamName)
        if wanted.stream is not UNSET:
            name = wanted.stream
        elif wanted.event is not UNSET:
            symbols = self._directory.symbols
            name = read_subscription(wanted.event, message, symbols, self._recognize).channel.name
        else:
            raise ProtocolError(ErrorCode.BAD_REQUEST, "unsubscribe needs a stream or an event")
        channel = self._channels.pop(name, None)
        if channel is None:
            raise ProtocolError(ErrorCode.NOT_SUBSCRIBED, f"no stream {name} on this connection")
        return *_ack(request, {"stream": name}), Unsubscribe(channel)

    def _admit(self, event: str, request: PrivateRequest) -> str:
        """The account that the request may read. A signature is used up by this."""
        signature = read_signature(
            event, request.api_key, request.timestamp, request.sign, request.recv_window
        )
        caller = self._directory.reader(request.api_key, signature, self._address)
        self._readers = {**self._readers, request.api_key: caller.account}
        self.key_ids |= {caller.key_id}
        return caller.account

    def _recognize(self, event: str, request: PrivateRequest) -> str:
        """The account of a request to read no more: a key that was good once needs no signature."""
        account = self._readers.get(request.api_key)
        if account is not None:
            return account
        return self._directory.reader(request.api_key, None, self._address).account

    def _log_in(self, request: Request, message: Raw | UnsetType) -> Sequence[Action]:
        wanted = decode(message, LoginRequest)
        signature = read_signature(
            request.event, wanted.api_key, wanted.timestamp, wanted.sign, wanted.recv_window
        )
        assert signature is not None, "a login was read without its signature"
        caller = self._directory.check(signature, self._address, Permission.TRADE)
        self.key_ids |= {caller.key_id}
        self._trader = caller
        self._cancel_on_disconnect = wanted.cancel_on_disconnect
        actions: list[Action] = [] if caller.used is None else [Remember(caller.used)]
        if request.id is not None:
            data = LoggedIn(caller.account, caller.permissions, wanted.cancel_on_disconnect)
            meaningless = ignored(message, LoginRequest)
            answer = StreamAnswer("OK", data, self._present.seq, meaningless)
            actions.append(Reply(Ack("ack", request.id, answer)))
        return actions

    def _trade(self, request: Request, message: Raw | UnsetType, text: Raw) -> Submit:
        if self._trader is None:
            reason = f"log in first: {request.event} needs a login on this connection"
            raise ProtocolError(ErrorCode.UNAUTHORIZED, reason)
        read, form = TRADING_EVENTS[request.event]
        if message is UNSET:
            raise ProtocolError(ErrorCode.BAD_REQUEST, f"{request.event} needs a message")
        command = read(message, self._trader.account, self._present)
        return Submit(command, request.id, text, message, form)


def notice(code: str, seconds: int) -> Notice:
    """What announces a planned stop."""
    return Notice("notice", NoticeMessage(code, seconds))


def _check_id(id: int | str | None) -> None:
    if isinstance(id, str) and len(id) > ID_CHARACTERS_MAX:
        reason = f"an id has at most {ID_CHARACTERS_MAX} characters, not {len(id)}"
        raise ProtocolError(ErrorCode.BAD_REQUEST, reason)


def _id_of(text: Raw | None) -> int | str | None:
    """The id of a request, whatever else is wrong with it."""
    if text is not None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(text, type=_Identified).id
    return None


def _ack(request: Request, message: dict[str, Any]) -> Sequence[Action]:
    """None, if the client did not ask for it."""
    return () if request.id is None else (Reply(Ack("ack", request.id, message)),)
