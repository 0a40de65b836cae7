"""What REST requests and answers have in common."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import Raw
from starlette.responses import Response

from jayx_stream.doors import Venue
from jayx_stream.doors.routes import Parameter
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.access import RECV_WINDOW_MAX_MS, RECV_WINDOW_MS
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import encode
from jayx_stream.wire.subscribing import check_symbol, decode
from jayx_stream.wire.trading import RestAnswer, RestRefusal

_STATUS = {
    ErrorCode.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.UNKNOWN_SYMBOL: HTTPStatus.NOT_FOUND,
    ErrorCode.UNKNOWN_ORDER: HTTPStatus.NOT_FOUND,
    ErrorCode.CLIENT_ORDER_ID_USED: HTTPStatus.CONFLICT,
    ErrorCode.WOULD_TAKE: HTTPStatus.CONFLICT,
    ErrorCode.INSUFFICIENT_BALANCE: HTTPStatus.CONFLICT,
    ErrorCode.MARKET_HALTED: HTTPStatus.CONFLICT,
    ErrorCode.TOO_MANY_ORDERS: HTTPStatus.CONFLICT,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

RETRY_AFTER_S = {
    ErrorCode.RATE_LIMITED: "1",
    ErrorCode.UNAVAILABLE: "1",
}

_SYMBOL_REFUSALS = (ErrorCode.BAD_REQUEST, ErrorCode.UNKNOWN_SYMBOL)
SYMBOL = Parameter(
    name="symbol",
    about="The instrument; `market` is another word for it.",
    type="string",
    required=True,
    refusals=_SYMBOL_REFUSALS,
)
ANY_SYMBOL = Parameter(
    name="symbol",
    about="The instrument; `market` is another word for it. Without it, all of them.",
    type="string",
    refusals=_SYMBOL_REFUSALS,
)
RECV_WINDOW = Parameter(
    name="recvWindow",
    about="How far the timestamp may be off the server's clock, milliseconds.",
    least=1,
    most=RECV_WINDOW_MAX_MS,
    default=RECV_WINDOW_MS,
)


class Query:
    """The parameters of one request, read with errors that name them."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters

    @classmethod
    def of(cls, parameters: Mapping[str, str], body: bytes) -> "Query":
        """Those of the query and, beside them, those of a JSON body."""
        if not body:
            return cls(parameters)
        fields = decode(Raw(body), dict[str, str | int])
        return cls({**{name: str(value) for name, value in fields.items()}, **parameters})

    def get(self, name: str) -> str | None:
        """The parameter's text, if it is there."""
        return self._parameters.get(name)

    def number(self, parameter: Parameter) -> int:
        """The parameter as it is given, or else its default. Raises ProtocolError that names the value."""
        value = self.bound(parameter)
        if value is None:
            value = parameter.default
        if value is None:
            raise ProtocolError(parameter.refusals[0], f"the parameter {parameter.name} is missing")
        return value

    def bound(self, parameter: Parameter) -> int | None:
        """The parameter, if it is there. Raises ProtocolError that names the value."""
        name, allowed = parameter.name, parameter.allowed
        text = self._parameters.get(name)
        if text is None:
            return None
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else -1
        if value in allowed if allowed else parameter.least <= value <= parameter.most:
            return value
        wanted = (
            f"one of {', '.join(map(str, allowed))}"
            if allowed
            else f"a whole number from {parameter.least} to {parameter.most}"
        )
        raise ProtocolError(parameter.refusals[0], f"{name} {text!r} is not {wanted}")

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """The parameter as a whole number within bounds."""
        bounds = Parameter(name=name, about="", least=least, most=most, default=default)
        return self.number(bounds)

    def symbol(self, venue: Venue) -> str | None:
        """The parameter `symbol` (or `market`), if it is there. It is listed."""
        symbol = self._parameters.get("symbol", self._parameters.get("market"))
        if symbol is not None:
            check_symbol(symbol, venue.projections.instruments)
        return symbol

    def required_symbol(self, venue: Venue) -> str:
        """The parameter `symbol`, which has to be there."""
        symbol = self.symbol(venue)
        if symbol is None:
            raise ProtocolError(ErrorCode.BAD_REQUEST, "the parameter symbol is missing")
        return symbol


def status_of(code: ErrorCode) -> HTTPStatus:
    """The HTTP status of a refusal, unless what is not there has one of its own."""
    return _STATUS.get(code, HTTPStatus.BAD_REQUEST)


def answer(data: Any, seq: int) -> Response:
    """What was asked for, as of commit `seq`."""
    return Response(encode(RestAnswer("OK", data, seq)), media_type="application/json")


def refusal(
    code: ErrorCode,
    reason: str,
    status: HTTPStatus | None = None,
    retry_after_s: int | None = None,
) -> Response:
    """Why it was not done, and when it might be."""
    retry_after = RETRY_AFTER_S.get(code) if retry_after_s is None else str(retry_after_s)
    return Response(
        encode(RestRefusal(code, reason)),
        status_code=status or status_of(code),
        media_type="application/json",
        headers={"Retry-After": retry_after} if retry_after else None,
    )
