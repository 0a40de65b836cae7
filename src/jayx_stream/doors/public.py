"""REST about the market, open to everyone, and the server's own state."""

from http import HTTPStatus
from time import time_ns
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors import Venue
from jayx_stream.doors.paging import is_paged, read_page, read_range
from jayx_stream.doors.query import Query, answer, refusal
from jayx_stream.model.instrument import CATEGORY, FEE_DECIMALS, Instrument
from jayx_stream.model.order import Side
from jayx_stream.model.past import KlineRange, Trade
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.model.units import NS_PER_MS, format_decimal
from jayx_stream.model.views import INTERVALS_S, Kline
from jayx_stream.wire.channels import DEPTH_DEFAULT, DEPTHS, KlineChannel, OrderbookChannel
from jayx_stream.wire.messages import BookPayload, encode, kline_payload
from jayx_stream.wire.subscribing import LIMIT_MAX, check_depth, check_interval, check_precise

TRADES_DEFAULT = 50
KLINES_DEFAULT = 500


class InstrumentPayload(Struct, rename="camel"):
    """An instrument's terms."""

    symbol: str
    category: str
    base: str
    quote: str
    tick_size: str
    lot_size: str
    min_lots: int
    max_lots: int
    maker_fee: str
    taker_fee: str


class TradePayload(Struct):
    """A public trade with its id."""

    id: int
    lots: int
    ticks: int
    side: Side
    created: int


class PublicRoutes:
    """What anyone may ask."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def exchange_info(self, request: Request) -> Response:
        """Instruments, limits, and the words that requests may use."""
        projections = self._venue.projections
        info: dict[str, Any] = {
            "instruments": [_terms(each) for each in projections.instruments.values()],
            "limits": self._venue.limits,
            "intervals": INTERVALS_S,
            "depths": DEPTHS,
        }
        return answer(info, projections.seq)

    async def time(self, request: Request) -> Response:
        """`time` is the clock that signatures are checked by, `venueTime` the one that the market
        runs by: another one only while a recording is replayed.
        """
        times = {"time": time_ns() // NS_PER_MS, "venueTime": self._venue.time_ms()}
        return answer(times, self._venue.projections.seq)

    async def depth(self, request: Request) -> Response:
        """The book: `symbol`, and `precise` and `depth` as in the stream `orderbook`."""
        query = Query(request.query_params)
        channel = OrderbookChannel(
            query.required_symbol(self._venue),
            check_precise(query.get("precise") or 1),
            check_depth(query.integer("depth", DEPTH_DEFAULT, 1, DEPTHS[-1], ErrorCode.BAD_DEPTH)),
        )
        projections = self._venue.projections
        book = projections.orderbook(channel.symbol, channel.precise, channel.depth, trades=0)
        return answer(BookPayload(book.asks, book.bids), projections.seq)

    async def trades(self, request: Request) -> Response:
        """Trades of a `symbol`, newest first: the last ones, from memory, or those `before` or
        `after` an id.
        """
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

    async def klines(self, request: Request) -> Response:
        """Klines of a `symbol` and `interval`, oldest first, the open one last: the last ones, from
        memory, or those that start between `from` and `to`; at most `limit`.
        """
        query = Query(request.query_params)
        symbol = query.required_symbol(self._venue)
        channel = KlineChannel(symbol, check_interval(query.get("interval") or ""))
        limit = query.integer("limit", KLINES_DEFAULT, 1, LIMIT_MAX)
        wanted = read_range(query, symbol, channel.interval_s, limit)
        seq, klines = self._venue.projections.seq, self._venue.projections.klines.get(symbol)
        if klines is None:
            return answer([], seq)
        current = klines.current(channel.interval_s)
        if wanted is None:
            views = [*klines.closed(channel.interval_s, limit - 1), current]
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

    async def health(self, request: Request) -> Response:
        """Whether the process is alive."""
        return Response(encode({"status": "ok"}), media_type="application/json")

    async def ready(self, request: Request) -> Response:
        """Whether the venue serves; 503 and why if it does not."""
        reason = self._venue.not_ready
        if reason is not None:
            return refusal(ErrorCode.UNAVAILABLE, reason)
        return Response(encode({"status": "ready"}), media_type="application/json")

    async def root(self, request: Request) -> Response:
        """There is no page here yet; a WebSocket upgrade does not come this way."""
        reason = "a WebSocket stream: connect to it with a WebSocket client"
        return refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.UPGRADE_REQUIRED)


def public_routes(venue: Venue) -> list[Route]:
    """All paths that need no key."""
    routes = PublicRoutes(venue)
    public = "/api/v1/public"
    return [
        Route(f"{public}/exchangeInfo", routes.exchange_info),
        Route(f"{public}/time", routes.time),
        Route(f"{public}/depth", routes.depth),
        Route(f"{public}/trades", routes.trades),
        Route(f"{public}/klines", routes.klines),
        Route("/health", routes.health),
        Route("/ready", routes.ready),
        Route("/", routes.root),
    ]


def _past_trade(trade: Trade) -> TradePayload:
    created = trade.time_ns // NS_PER_MS
    return TradePayload(trade.trade_id, trade.lots, trade.ticks, trade.side, created)


def _terms(instrument: Instrument) -> InstrumentPayload:
    return InstrumentPayload(
        symbol=instrument.symbol,
        category=CATEGORY,
        base=instrument.base,
        quote=instrument.quote,
        tick_size=instrument.tick_size.text(1),
        lot_size=instrument.lot_size.text(1),
        min_lots=instrument.min_lots,
        max_lots=instrument.max_lots,
        maker_fee=format_decimal(instrument.maker_fee_e8, FEE_DECIMALS),
        taker_fee=format_decimal(instrument.taker_fee_e8, FEE_DECIMALS),
    )
