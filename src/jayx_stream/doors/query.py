"""What REST requests and answers have in common."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import Raw
from starlette.responses import Response

from jayx_stream.doors import Venue
from jayx_stream.model.reasons import ErrorCode
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
"""Of all codes that are not here the status is 400."""

RETRY_AFTER_S = {
    ErrorCode.RATE_LIMITED: "1",
    ErrorCode.UNAVAILABLE: "1",
}


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

    def integer(
        self,
        name: str,
        default: int,
        least: int,
        most: int,
        code: ErrorCode = ErrorCode.BAD_REQUEST,
    ) -> int:
        """The parameter as a whole number within bounds; `code` says that it is not."""
        text = self._parameters.get(name)
        if text is None:
            return default
        is_count = text.isascii() and text.isdigit() and len(text) <= 19
        if not (is_count and least <= int(text) <= most):
            reason = f"{name} {text!r} is not a whole number from {least} to {most}"
            raise ProtocolError(code, reason)
        return int(text)

    def bound(self, name: str, most: int) -> int | None:
        """The parameter as a whole number up to `most`, if it is there."""
        return None if name not in self._parameters else self.integer(name, 0, 0, most)

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


def answer(data: Any, seq: int) -> Response:
    """What was asked for, as of commit `seq`."""
    return Response(encode(RestAnswer("OK", data, seq)), media_type="application/json")


def refusal(code: ErrorCode, reason: str, status: HTTPStatus | None = None) -> Response:
    """Why it was not done."""
    retry_after = RETRY_AFTER_S.get(code)
    return Response(
        encode(RestRefusal(code, reason)),
        status_code=status or _STATUS.get(code, HTTPStatus.BAD_REQUEST),
        media_type="application/json",
        headers={"Retry-After": retry_after} if retry_after else None,
    )
