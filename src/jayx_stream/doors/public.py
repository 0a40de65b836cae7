"""REST about the market, open to everyone, and the server's own state."""

from time import time_ns

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors import Venue
from jayx_stream.doors.paging import (
    AFTER,
    BEFORE,
    FROM_S,
    TO_S,
    is_paged,
    read_page,
    read_range,
    rows,
)
from jayx_stream.doors.query import ANY_SYMBOL, SYMBOL, Query, answer, refusal
from jayx_stream.doors.routes import Parameter, Table
from jayx_stream.model.order import OrderType
from jayx_stream.model.past import KlineRange, Trade
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import INTERVALS_S, Kline
from jayx_stream.wire.channels import DEPTH_DEFAULT, DEPTHS, PRECISES
from jayx_stream.wire.market import (
    ExchangeInfo,
    OrderTypePayload,
    ServerStatus,
    TickerPayload,
    Times,
    TradePayload,
    instrument_payload,
    limits_payload,
    ticker_payload,
)
from jayx_stream.wire.messages import BookPayload, KlinePayload, encode, kline_payload
from jayx_stream.wire.subscribing import LIMIT_MAX
from jayx_stream.wire.trading import NUMBERED_TYPES

TRADES_DEFAULT = 50
KLINES_DEFAULT = 500

PRECISE = Parameter(
    name="precise",
    about="Width of a level, ticks: asks are rounded up and bids down to a multiple of it.",
    allowed=PRECISES,
    default=1,
    refusals=(ErrorCode.BAD_PRECISE,),
)
DEPTH = Parameter(
    name="depth",
    about="Levels of each half, at most.",
    allowed=DEPTHS,
    default=DEPTH_DEFAULT,
    refusals=(ErrorCode.BAD_DEPTH,),
)
INTERVAL = Parameter(
    name="interval",
    about="Length of a kline, seconds.",
    allowed=INTERVALS_S,
    required=True,
    refusals=(ErrorCode.BAD_INTERVAL,),
)
KLINES = Parameter(
    name="limit", about="At most so many klines.", least=1, most=LIMIT_MAX, default=KLINES_DEFAULT
)

PUBLIC = Table()
"""What anyone may ask."""

_PATH = "/api/v1/public"


class PublicRoutes:
    """Answers what `PUBLIC` tells."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    @PUBLIC.answers("GET", f"{_PATH}/exchangeInfo", data=ExchangeInfo)
    async def exchange_info(self, request: Request) -> Response:
        """Instruments, limits, and the words that requests may use."""
        projections = self._venue.projections
        info = ExchangeInfo(
            instruments=[
                instrument_payload(each, is_halted=each.symbol in projections.halted)
                for each in projections.instruments.values()
            ],
            limits=limits_payload(self._venue.limits),
            intervals=INTERVALS_S,
            depths=DEPTHS,
            precises=PRECISES,
            order_types=_ORDER_TYPES,
        )
        return answer(info, projections.seq)

    @PUBLIC.answers("GET", f"{_PATH}/time", data=Times)
    async def time(self, request: Request) -> Response:
        """The server's clock and the market's."""
        times = Times(time_ns() // NS_PER_MS, self._venue.time_ms())
        return answer(times, self._venue.projections.seq)

    @PUBLIC.answers("GET", f"{_PATH}/ticker", ANY_SYMBOL, data=TickerPayload | list[TickerPayload])
    async def ticker(self, request: Request) -> Response:
        """What was traded within 24 hours. With `symbol` one instrument's figures, else a list of all."""
        projections = self._venue.projections
        symbol = Query(request.query_params).symbol(self._venue)
        if symbol is not None:
            return answer(ticker_payload(projections.ticker(symbol)), projections.seq)
        figures = [ticker_payload(projections.ticker(each)) for each in projections.instruments]
        return answer(figures, projections.seq)

    @PUBLIC.answers("GET", f"{_PATH}/depth", SYMBOL, PRECISE, DEPTH, data=BookPayload)
    async def depth(self, request: Request) -> Response:
        """The book, as in the stream `orderbook`: asks ascend, bids descend."""
        query = Query(request.query_params)
        symbol = query.required_symbol(self._venue)
        precise, depth = query.number(PRECISE), query.number(DEPTH)
        projections = self._venue.projections
        book = projections.orderbook(symbol, precise, depth, trades=0)
        return answer(BookPayload(book.asks, book.bids), projections.seq)

    @PUBLIC.answers(
        "GET",
        f"{_PATH}/trades",
        SYMBOL,
        rows(TRADES_DEFAULT),
        BEFORE,
        AFTER,
        data=list[TradePayload],
        refusals=(ErrorCode.UNAVAILABLE,),
    )
    async def trades(self, request: Request) -> Response:
        """Trades, newest first, numbered by `id`: the last ones, or a page of earlier ones."""
        query = Query(request.query_params)
        symbol = query.required_symbol(self._venue)
        page = read_page(query, TRADES_DEFAULT, by_time=False)
        seq, trades = self._venue.projections.seq, self._venue.projections.trades[symbol]
        if is_paged(query):
            past = await self._venue.past.trades(symbol, page)
            return answer([_past_trade(trade) for trade in past], seq)
        payload = [
            TradePayload(trades.last_id - age, trade.lots, trade.ticks, trade.side, trade.created)
            for age, trade in enumerate(trades.last(page.limit))
        ]
        return answer(payload, seq)

    @PUBLIC.answers(
        "GET",
        f"{_PATH}/klines",
        SYMBOL,
        INTERVAL,
        KLINES,
        FROM_S,
        TO_S,
        data=list[KlinePayload],
        refusals=(ErrorCode.UNAVAILABLE,),
    )
    async def klines(self, request: Request) -> Response:
        """Klines, oldest first, the open one last. With `from` the oldest ones that start then or
        later, else the newest ones.
        """
        query = Query(request.query_params)
        symbol = query.required_symbol(self._venue)
        interval_s, limit = query.number(INTERVAL), query.number(KLINES)
        wanted = read_range(query, symbol, interval_s, limit)
        seq, klines = self._venue.projections.seq, self._venue.projections.klines.get(symbol)
        if klines is None:
            return answer([], seq)
        current = klines.current(interval_s)
        if wanted is None:
            views = [*klines.closed(interval_s, limit - 1), current]
        else:
            views = await self._past_klines(wanted, current)
        return answer([kline_payload(kline) for kline in views], seq)

    async def _past_klines(self, wanted: KlineRange, current: Kline) -> list[Kline]:
        """A range of closed klines, and the one that was open when it was asked for."""
        from_s, to_s, limit = wanted.from_s or 0, wanted.to_s, wanted.limit
        has_current = from_s <= current.created_s <= to_s
        closed_to_s = min(to_s, current.created_s - current.interval_s)
        if has_current and wanted.newest:
            limit -= 1
        klines: list[Kline] = []
        if limit and closed_to_s >= from_s:
            closed = replace(wanted, to_s=closed_to_s, limit=limit)
            klines = await self._venue.past.klines(closed)
        if has_current and len(klines) < wanted.limit:
            klines.append(current)
        return klines

    @PUBLIC.answers("GET", "/health", data=ServerStatus, in_envelope=False)
    async def health(self, request: Request) -> Response:
        """Whether the process is alive."""
        return Response(encode(ServerStatus("ok")), media_type="application/json")

    @PUBLIC.answers(
        "GET",
        "/ready",
        data=ServerStatus,
        in_envelope=False,
        refusals=(ErrorCode.UNAVAILABLE,),
    )
    async def ready(self, request: Request) -> Response:
        """Whether the venue serves; `UNAVAILABLE` and why if it does not."""
        reason = self._venue.not_ready
        if reason is not None:
            return refusal(ErrorCode.UNAVAILABLE, reason)
        return Response(encode(ServerStatus("ready")), media_type="application/json")


def public_routes(venue: Venue) -> list[Route]:
    """All paths that need no key."""
    return PUBLIC.routes(PublicRoutes(venue))


def _past_trade(trade: Trade) -> TradePayload:
    created = trade.time_ns // NS_PER_MS
    return TradePayload(trade.trade_id, trade.lots, trade.ticks, trade.side, created)


_NUMBERS = {type: number for number, type in NUMBERED_TYPES.items()}
_ORDER_TYPES = [OrderTypePayload(type, _NUMBERS.get(type)) for type in OrderType]
