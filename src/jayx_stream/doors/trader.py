"""REST for the holders of keys (protocol §9): orders, what became of them, balances.

Rule: a request is read into its typed form, checked, and answered; nothing is decided here.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors import Venue
from jayx_stream.doors.body import read_body
from jayx_stream.doors.paging import PAGE_BY_TIME, ROWS_DEFAULT, read_page
from jayx_stream.doors.query import ANY_SYMBOL, RECV_WINDOW, Query, answer
from jayx_stream.doors.rates import ACCOUNT
from jayx_stream.doors.routes import Parameter, Table
from jayx_stream.doors.trading import Trading
from jayx_stream.model.key import Permission
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import COUNT_MAX
from jayx_stream.wire.access import Signature
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import PositionsPush, positions_payload
from jayx_stream.wire.subscribing import decode
from jayx_stream.wire.trading import (
    AmendRequest,
    CancelAllRequest,
    CancelRequest,
    FillPayload,
    OrderRequest,
    PlacedOrder,
    TradingCommand,
    cancel_all_command,
    cancel_command,
    fill_payload,
    placed_order,
    read_amend,
    read_ids,
    read_order,
)

ORDER_ID = Parameter(
    name="id",
    about="The order, by its number; this or `clientOrderId` is there.",
    least=1,
    most=COUNT_MAX,
)
CLIENT_ORDER_ID = Parameter(
    name="clientOrderId", about="The order, by the account's own name for it.", type="string"
)

TRADER = Table()
"""What the holder of a key may ask."""

_PATH = "/api/v1/trader"


class TraderRoutes:
    """Answers what `TRADER` tells."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._trading = Trading(venue)

    @TRADER.answers(
        "POST",
        f"{_PATH}/order",
        data=PlacedOrder,
        body=OrderRequest,
        permission=Permission.TRADE,
        refusals=(
            ErrorCode.UNKNOWN_SYMBOL,
            ErrorCode.BAD_ORDER,
            ErrorCode.CLIENT_ORDER_ID_USED,
            ErrorCode.INSUFFICIENT_BALANCE,
            ErrorCode.MARKET_HALTED,
            ErrorCode.WOULD_TAKE,
            ErrorCode.TOO_MANY_ORDERS,
        ),
    )
    async def place(self, request: Request) -> Response:
        """Place an order. Answered once it is durable."""
        body = await read_body(request, self._venue.limits)
        account = self._check(request, body, Permission.TRADE)
        return await self._do(read_order(body, account, self._venue.projections))

    @TRADER.answers(
        "PATCH",
        f"{_PATH}/order",
        data=PlacedOrder,
        body=AmendRequest,
        permission=Permission.TRADE,
        refusals=(ErrorCode.BAD_ORDER, ErrorCode.UNKNOWN_ORDER),
    )
    async def amend(self, request: Request) -> Response:
        """Make an open order smaller; it keeps its place in the queue. Answered once it is durable."""
        body = await read_body(request, self._venue.limits)
        account = self._check(request, body, Permission.TRADE)
        return await self._do(read_amend(body, account, self._venue.projections))

    @TRADER.answers(
        "DELETE",
        f"{_PATH}/order",
        ORDER_ID,
        CLIENT_ORDER_ID,
        data=PlacedOrder,
        permission=Permission.TRADE,
        refusals=(ErrorCode.BAD_JSON, ErrorCode.UNKNOWN_ORDER),
    )
    async def cancel(self, request: Request) -> Response:
        """Cancel one open order. Parameters may stand in a JSON body too; the query wins."""
        body = await read_body(request, self._venue.limits)
        account = self._check(request, body, Permission.TRADE)
        wanted = decode(body, CancelRequest) if body else CancelRequest()
        query = request.query_params
        wanted.id = query.get("id", wanted.id)
        wanted.client_order_id = query.get("clientOrderId", wanted.client_order_id)
        return await self._do(cancel_command(wanted, account))

    @TRADER.answers(
        "DELETE",
        f"{_PATH}/orders",
        ANY_SYMBOL,
        data=list[PlacedOrder],
        permission=Permission.TRADE,
        refusals=(ErrorCode.BAD_JSON,),
    )
    async def cancel_all(self, request: Request) -> Response:
        """Cancel the open orders of one symbol or of all. A JSON body will do too; the query wins."""
        body = await read_body(request, self._venue.limits)
        account = self._check(request, body, Permission.TRADE)
        wanted = decode(body, CancelAllRequest) if body else CancelAllRequest()
        query = request.query_params
        if "symbol" in query or "market" in query:
            wanted = CancelAllRequest(query.get("symbol"), query.get("market"))
        return await self._do(cancel_all_command(wanted, account, self._venue.projections))

    @TRADER.answers(
        "GET",
        f"{_PATH}/order",
        ORDER_ID,
        CLIENT_ORDER_ID,
        data=PlacedOrder,
        permission=Permission.READ,
        refusals=(ErrorCode.UNKNOWN_ORDER,),
    )
    async def order(self, request: Request) -> Response:
        """One order, open or closed, whenever it was placed."""
        account = self._check(request, b"", Permission.READ)
        query = request.query_params
        order_id, client_order_id = read_ids(query.get("id"), query.get("clientOrderId"))
        projections = self._venue.projections
        seq = projections.seq
        order = projections.orders.find(account, order_id, client_order_id)
        if order is None:
            order = await self._venue.past.order(account, order_id, client_order_id)
        if order is None:
            wanted = client_order_id if order_id is None else order_id
            raise ProtocolError(ErrorCode.UNKNOWN_ORDER, f"no order {wanted}")
        return answer(placed_order(order, projections.instruments[order.symbol]), seq)

    @TRADER.answers(
        "GET",
        f"{_PATH}/orders",
        ANY_SYMBOL,
        *PAGE_BY_TIME,
        data=list[PlacedOrder],
        permission=Permission.READ,
    )
    async def past_orders(self, request: Request) -> Response:
        """Closed orders, newest first, numbered by `id`: a page of them."""
        account = self._check(request, b"", Permission.READ)
        query = Query(request.query_params)
        seq, instruments = self._venue.projections.seq, self._venue.projections.instruments
        page = read_page(query, ROWS_DEFAULT, by_time=True)
        orders = await self._venue.past.orders(account, self._symbols(query), page)
        return answer([placed_order(each, instruments[each.symbol]) for each in orders], seq)

    @TRADER.answers(
        "GET",
        f"{_PATH}/trades",
        ANY_SYMBOL,
        *PAGE_BY_TIME,
        data=list[FillPayload],
        permission=Permission.READ,
    )
    async def fills(self, request: Request) -> Response:
        """Own fills, newest first, numbered by `fill`: a page of them."""
        account = self._check(request, b"", Permission.READ)
        query = Query(request.query_params)
        seq, instruments = self._venue.projections.seq, self._venue.projections.instruments
        page = read_page(query, ROWS_DEFAULT, by_time=True)
        fills = await self._venue.past.fills(account, self._symbols(query), page)
        return answer([fill_payload(each, instruments[each.symbol]) for each in fills], seq)

    @TRADER.answers(
        "GET",
        f"{_PATH}/openorders",
        ANY_SYMBOL,
        data=list[PlacedOrder],
        permission=Permission.READ,
    )
    async def open_orders(self, request: Request) -> Response:
        """The open orders, oldest first."""
        account = self._check(request, b"", Permission.READ)
        symbol = Query(request.query_params).symbol(self._venue)
        projections = self._venue.projections
        orders = [
            placed_order(order, projections.instruments[order.symbol])
            for order in projections.orders.open_of(account, symbol)
        ]
        return answer(orders, projections.seq)

    @TRADER.answers("GET", f"{_PATH}/balances", data=PositionsPush, permission=Permission.READ)
    async def balances(self, request: Request) -> Response:
        """Every asset that the account ever held, in the form of the `positions` stream."""
        account = self._check(request, b"", Permission.READ)
        projections = self._venue.projections
        positions = positions_payload(projections.positions.of(account))
        return answer(PositionsPush(positions), projections.seq)

    async def _do(self, command: TradingCommand) -> Response:
        done = await self._trading.do(command)
        return answer(done.data, done.seq)

    def _symbols(self, query: Query) -> list[str]:
        """The symbol that is asked for, or all."""
        symbol = query.symbol(self._venue)
        return [symbol] if symbol is not None else list(self._venue.projections.instruments)

    def _check(self, request: Request, body: bytes, permission: Permission) -> str:
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
            window_ms=Query(request.query_params).number(RECV_WINDOW),
            window_is_signed=True,
        )
        address = request.client.host if request.client else ""
        caller = self._venue.gate.check(signature, address, permission)
        request.scope[ACCOUNT] = caller.account
        if caller.used is not None and permission is Permission.TRADE:
            self._venue.submit(caller.used)
        return caller.account


def trader_routes(venue: Venue) -> list[Route]:
    """Paths under `/api/v1/trader`."""
    return TRADER.routes(TraderRoutes(venue))
