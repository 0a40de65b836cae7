"""How many connections an address has open, and how often it asks over HTTP (protocol §10).

Rule: what is counted is an address as `address.counted_as` groups them, and every count that went up
goes down again when its connection ends.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jayx_stream.doors.address import counted_as
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.limits import Allowance, Limits, TokenBucket
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import RestRefusal

ADDRESSES_MAX = 100_000
"""Addresses whose requests are remembered; the one that was silent longest is forgotten first."""

FREE_PATHS = ("/health", "/ready")
"""Whoever watches the server may ask as often as it likes."""

ACCOUNT = "jayx.account"
"""The name in a request's scope of the account that signed it."""

Headers = list[tuple[bytes, bytes]]

FOR_BROWSERS: Headers = [(b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY")]
"""An answer is what it says it is, and nobody's frame."""

HSTS = (b"strict-transport-security", b"max-age=31536000")
"""For browsers: a year without plain HTTP."""


class Seat:
    """One connection's place among those of its address, from `AddressLimits.seat` to `leave`."""

    __slots__ = ("_limits", "address")

    def __init__(self, limits: "AddressLimits", address: str) -> None:
        self.address = address
        self._limits: AddressLimits | None = limits

    def leave(self) -> None:
        """The connection is over. A second time changes nothing."""
        if self._limits is not None:
            self._limits._release(self)
            self._limits = None


class AddressLimits:
    """What each address has open, and what it may still ask."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, int] = {}
        self._requests: OrderedDict[str, TokenBucket] = OrderedDict()

    def seat(self, address: str) -> Seat | None:
        """Count one more connection, if the address may have one."""
        limit, group = self._limits.connections_per_address, counted_as(address)
        count = self._open.get(group, 0)
        if 0 < limit <= count:
            return None
        self._open[group] = count + 1
        return Seat(self, address)

    @property
    def open(self) -> int:
        """Connections of all addresses."""
        return sum(self._open.values())

    def take(self, address: str, now_s: float) -> bool:
        """Count one more request over HTTP, if the address may have one."""
        return self._bucket(address).take(now_s)

    def allowance(self, address: str, now_s: float) -> Allowance | None:
        """What the address may still ask; None if there is no limit."""
        return self._bucket(address).allowance(now_s)

    def refusal(self, address: str, now_s: float) -> tuple[Headers, bytes]:
        """Headers and body of the answer to a request that was not taken."""
        allowance = self.allowance(address, now_s)
        assert allowance is not None, "nothing is refused without a limit"
        reason = (
            f"more than {allowance.limit} HTTP requests at once, "
            f"and then {self._limits.http_requests_per_s} a second, from {address}"
        )
        headers, body = refusal(reason, allowance.retry_after_s)
        return [*headers, *_told(allowance)], body

    def _bucket(self, address: str) -> TokenBucket:
        group = counted_as(address)
        bucket = self._requests.get(group)
        if bucket is None:
            limits = self._limits
            bucket = TokenBucket(limits.http_requests_per_s, limits.http_requests_burst)
            self._requests[group] = bucket
            if len(self._requests) > ADDRESSES_MAX:
                self._requests.popitem(last=False)
        else:
            self._requests.move_to_end(group)
        return bucket

    def _release(self, seat: Seat) -> None:
        group = counted_as(seat.address)
        count = self._open.pop(group) - 1
        if count:
            self._open[group] = count


class RatedHttp:
    """An application behind the limits of requests; its answers tell what is left of them."""

    def __init__(
        self,
        http: ASGIApp,
        addresses: AddressLimits,
        order_allowance: Callable[[str], Allowance | None],
        is_bounded: Callable[[Scope], bool],
        *,
        is_strictly_secure: bool,
    ) -> None:
        """`order_allowance`: what an account may still place. `is_bounded`: whether a request's rate
        is seen to elsewhere. `is_strictly_secure`: browsers are told to come by TLS only, from now on.
        """
        self._http = http
        self._addresses = addresses
        self._order_allowance = order_allowance
        self._is_bounded = is_bounded
        self._always = [*FOR_BROWSERS, HSTS] if is_strictly_secure else FOR_BROWSERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. `client` of the scope is whom `address.client_address` says it is."""
        address: str = scope["client"][0] if scope["client"] else ""
        if scope["path"] in FREE_PATHS or self._is_bounded(scope):
            await self._http(scope, receive, self._with(send, list))
            return
        now_s = asyncio.get_running_loop().time
        if not self._addresses.take(address, now_s()):
            headers, body = self._addresses.refusal(address, now_s())
            start = {"type": "http.response.start", "status": HTTPStatus.TOO_MANY_REQUESTS}
            await send({**start, "headers": [*headers, *self._always]})
            await send({"type": "http.response.body", "body": body})
            return

        def left() -> Headers:
            account: str | None = scope.get(ACCOUNT)
            if account is not None:
                return _told(self._order_allowance(account))
            return _told(self._addresses.allowance(address, now_s()))

        await self._http(scope, receive, self._with(send, left))

    def _with(self, send: Send, left: Callable[[], Headers]) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *left(), *self._always]
                message = {**message, "headers": headers}
            await send(message)

        return send_with_headers


def refusal(reason: str, retry_after_s: int) -> tuple[Headers, bytes]:
    """Headers and body of an answer 429."""
    body = encode(RestRefusal(ErrorCode.RATE_LIMITED, reason))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_s),
    ]
    return headers, body


def _told(allowance: Allowance | None) -> Headers:
    """The three headers of draft-ietf-httpapi-ratelimit-headers, as most clients know them."""
    if allowance is None:
        return []
    return [
        (b"ratelimit-limit", b"%d" % allowance.limit),
        (b"ratelimit-remaining", b"%d" % allowance.left),
        (b"ratelimit-reset", b"%d" % allowance.reset_s),
    ]
