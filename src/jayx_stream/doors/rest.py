"""The REST door (protocol §9): signed requests of traders, open requests about the market.

Rule: a request is read into its typed form, checked, and answered; nothing is decided here.
"""

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors import Signature, Venue
from jayx_stream.doors.paging import ROWS_DEFAULT, read_page
from jayx_stream.doors.public import public_routes
from jayx_stream.doors.query import Query, answer, refusal
from jayx_stream.model.answers import Answer, Done
from jayx_stream.model.commands import CancelAll, CancelOrder
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import PositionsPush, positions_payload
from jayx_stream.wire.trading import as_error, fill_payload, placed_order, read_order

RECV_WINDOW_MS = 5000
RECV_WINDOW_MAX_MS = 60_000


class BodyError(ProtocolError):
    """The body is not wanted, or did not come: the connection ends with the answer."""


class TraderRoutes:
    """What the holder of a key may ask."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[Route]:
        """Paths under `/api/v1/trader`."""
        return [
            Route(f"/api/v1/trader/{path}", endpoint, methods=[method])
            for path, method, endpoint in (
                ("order", "POST", self.place),
                ("order", "GET", self.order),
                ("order", "DELETE", self.cancel),
                ("orders", "GET", self.past_orders),
                ("orders", "DELETE", self.cancel_all),
                ("trades", "GET", self.fills),
                ("openorders", "GET", self.open_orders),
                ("balances", "GET", self.balances),
            )
        ]

    async def place(self, request: Request) -> Response:
        """Place an order. Answered once it is durable."""
        body = await _body(request, self._venue.limits)
        account = self._check(request, body, "trade")
        instruments = self._venue.projections.instruments
        command = read_order(body, account, instruments)
        if not self._venue.gate.take_order(account):
            limit = self._venue.limits.orders_per_s
            reason = f"more than {limit} orders a second by {account}"
            raise ProtocolError(ErrorCode.RATE_LIMITED, reason)
        done = _done(await self._venue.submit(command))
        order = done.orders[0]
        return answer(placed_order(order, instruments[order.symbol]), done.seq)

    async def order(self, request: Request) -> Response:
        """One order, by `id` or `clientOrderId`."""
        account = self._check(request, b"", "read")
        order_id, client_order_id = _ids(Query(request.query_params))
        projections = self._venue.projections
        seq = projections.seq
        order = projections.orders.find(account, order_id, client_order_id)
        if order is None:
            order = await self._venue.past.order(account, order_id, client_order_id)
        if order is None:
            wanted = client_order_id if order_id is None else order_id
            raise ProtocolError(ErrorCode.UNKNOWN_ORDER, f"no order {wanted}")
        return answer(placed_order(order, projections.instruments[order.symbol]), seq)

    async def past_orders(self, request: Request) -> Response:
        """Closed orders, of all symbols or one, newest first, a page of them."""
        account = self._check(request, b"", "read")
        query = Query(request.query_params)
        seq, instruments = self._venue.projections.seq, self._venue.projections.instruments
        page = read_page(query, ROWS_DEFAULT, by_time=True)
        orders = await self._venue.past.orders(account, self._symbols(query), page)
        return answer([placed_order(each, instruments[each.symbol]) for each in orders], seq)

    async def fills(self, request: Request) -> Response:
        """Own fills, of all symbols or one, newest first, a page of them."""
        account = self._check(request, b"", "read")
        query = Query(request.query_params)
        seq, instruments = self._venue.projections.seq, self._venue.projections.instruments
        page = read_page(query, ROWS_DEFAULT, by_time=True)
        fills = await self._venue.past.fills(account, self._symbols(query), page)
        return answer([fill_payload(each, instruments[each.symbol]) for each in fills], seq)

    async def cancel(self, request: Request) -> Response:
        """Cancel one open order, by `id` or `clientOrderId`, in the query or a JSON body."""
        body = await _body(request, self._venue.limits)
        account = self._check(request, body, "trade")
        order_id, client_order_id = _ids(Query.of(request.query_params, body))
        command = CancelOrder(account=account, order_id=order_id, client_order_id=client_order_id)
        done = _done(await self._venue.submit(command))
        order = done.orders[0]
        instrument = self._venue.projections.instruments[order.symbol]
        return answer(placed_order(order, instrument), done.seq)

    async def cancel_all(self, request: Request) -> Response:
        """Cancel all open orders, or those of one `symbol`."""
        body = await _body(request, self._venue.limits)
        account = self._check(request, body, "trade")
        symbol = Query.of(request.query_params, body).symbol(self._venue)
        done = _done(await self._venue.submit(CancelAll(account=account, symbol=symbol)))
        instruments = self._venue.projections.instruments
        orders = [placed_order(order, instruments[order.symbol]) for order in done.orders]
        return answer(orders, done.seq)

    async def open_orders(self, request: Request) -> Response:
        """The open orders, of all symbols or one, oldest first."""
        account = self._check(request, b"", "read")
        symbol = Query(request.query_params).symbol(self._venue)
        projections = self._venue.projections
        orders = [
            placed_order(order, projections.instruments[order.symbol])
            for order in projections.orders.open_of(account, symbol)
        ]
        return answer(orders, projections.seq)

    async def balances(self, request: Request) -> Response:
        """Every asset that the account ever held, in the form of the `positions` stream."""
        account = self._check(request, b"", "read")
        projections = self._venue.projections
        positions = positions_payload(projections.positions.of(account))
        return answer(PositionsPush(positions), projections.seq)

    def _symbols(self, query: Query) -> list[str]:
        """The symbol that is asked for, or all."""
        symbol = query.symbol(self._venue)
        return [symbol] if symbol is not None else list(self._venue.projections.instruments)

    def _check(self, request: Request, body: bytes, permission: str) -> str:
        """The account that signed the request.

        Of a request to trade, the signature is on its way to the journal before its command is:
        it is durable with it, and no restart makes it good again.
        """
        headers = request.headers
        for name in ("JAYX-ACCESS-KEY", "JAYX-ACCESS-TIMESTAMP", "JAYX-ACCESS-SIGN"):
            if name not in headers:
                raise ProtocolError(ErrorCode.UNAUTHORIZED, f"the header {name} is missing")
        target = request.scope["raw_path"]
        if request.scope["query_string"]:
            target += b"?" + request.scope["query_string"]
        signature = Signature(
            api_key=headers["JAYX-ACCESS-KEY"],
            timestamp=headers["JAYX-ACCESS-TIMESTAMP"],
            sign=headers["JAYX-ACCESS-SIGN"],
            signed=request.method.encode() + target + body,
            window_ms=Query(request.query_params).integer(
                "recvWindow", RECV_WINDOW_MS, 1, RECV_WINDOW_MAX_MS
            ),
        )
        address = request.client.host if request.client else ""
        caller = self._venue.gate.check(signature, address, permission)
        if permission == "trade":
            self._venue.submit(caller.used)
        return caller.account


def rest_application(venue: Venue) -> Starlette:
    """All HTTP of the public port that is no WebSocket upgrade."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProtocolError)
        answer = refusal(error.code, error.reason)
        if isinstance(error, BodyError):
            answer.headers["Connection"] = "close"
        return answer

    async def unknown(request: Request, error: Exception) -> Response:
        path = f"{request.method} {request.url.path}"
        return refusal(ErrorCode.BAD_REQUEST, f"nothing at {path}", HTTPStatus.NOT_FOUND)

    async def wrong_method(request: Request, error: Exception) -> Response:
        reason = f"{request.url.path} does not take {request.method}"
        return refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.METHOD_NOT_ALLOWED)

    async def our_fault(request: Request, error: Exception) -> Response:
        return refusal(ErrorCode.INTERNAL, "our fault; it stands in the server's log")

    return Starlette(
        routes=[*TraderRoutes(venue).routes(), *public_routes(venue)],
        exception_handlers={
            ProtocolError: refused,
            HTTPStatus.NOT_FOUND: unknown,
            HTTPStatus.METHOD_NOT_ALLOWED: wrong_method,
            Exception: our_fault,
        },
    )


async def _body(request: Request, limits: Limits) -> bytes:
    """The whole body. Raises BodyError before more is kept, or waited for, than is allowed."""
    body, limit_bytes, limit_s = b"", limits.request_bytes, limits.handshake_s
    try:
        async with asyncio.timeout(limit_s or None):
            async for chunk in request.stream():
                body += chunk
                if 0 < limit_bytes < len(body):
                    reason = f"the body has more than {limit_bytes} bytes"
                    raise BodyError(ErrorCode.BAD_REQUEST, reason)
    except TimeoutError:
        reason = f"the body did not come within {limit_s} s"
        raise BodyError(ErrorCode.BAD_REQUEST, reason) from None
    except ClientDisconnect:
        # Nobody hears this; but a client that leaves is not our fault, and not to be logged as one.
        raise BodyError(ErrorCode.BAD_REQUEST, "the body never came") from None
    return body


def _done(answered: Answer) -> Done:
    if isinstance(answered, Refused):
        raise as_error(answered)
    return answered


def _ids(query: Query) -> tuple[int | None, str | None]:
    order_id, client_order_id = query.get("id"), query.get("clientOrderId")
    if (order_id is None) == (client_order_id is None):
        raise ProtocolError(ErrorCode.BAD_REQUEST, "give either id or clientOrderId")
    return (None if order_id is None else query.integer("id", 0, 1, 2**63 - 1)), client_order_id
