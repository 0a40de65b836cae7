"""The gateway: follows the feed, folds events into views, and gives each view to whoever reads it.

Runs on one event loop and holds no truth: all that it has can be folded again.
"""

import asyncio
from collections.abc import Hashable, Sequence

from jayx_stream.app.clock import Clock
from jayx_stream.hub.hub import Hub
from jayx_stream.model.events import Commit
from jayx_stream.model.order import Order, OrderState
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import Kline, KlineChange, KlineTurn, OrderChanges, View
from jayx_stream.projections import Changes, Projections
from jayx_stream.wire.channels import (
    PUSHED_TRADES,
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from jayx_stream.wire.messages import encode_payload
from jayx_stream.wire.push import Push


class Gateway:
    """Projections and hub, and between them the rules of when a change is told (protocol §4 to §7)."""

    def __init__(self, clock: Clock, *, kline_interval_ms: int, orderbook_interval_ms: int) -> None:
        self._clock = clock
        self.projections = Projections()
        intervals_s = {
            KlineChannel.event: kline_interval_ms / 1000,
            OrderbookChannel.event: orderbook_interval_ms / 1000,
        }
        self.hub = Hub(self, intervals_s)
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, commits: Sequence[Commit]) -> None:
        """Take the next commits in and tell what they changed. The feed calls this."""
        for commit in commits:
            self._spread(self.projections.apply(commit))
        self._flush()

    def present(self, channel: Channel) -> Push:
        """See `hub.Source`."""
        match channel:
            case KlineChannel():
                klines = self.projections.klines.get(channel.symbol)
                if klines is None:
                    return self._push(channel, KlineChange(None, None), merge_key=channel)
                current = klines.current(channel.interval_s)
                return self._push(
                    channel, KlineChange(None, current), merge_key=_kline_key(current)
                )
            case OrderbookChannel():
                symbol, precise, depth = channel.symbol, channel.precise, channel.depth
                book = self.projections.orderbook(symbol, precise, depth, PUSHED_TRADES)
                return self._push(channel, book, merge_key=channel, trade=book.trade_id)
            case PositionsChannel():
                positions = self.projections.positions.of(channel.account)
                return self._push(channel, positions, merge_key=channel)
            case OpenOrdersChannel():
                orders = self.projections.orders.open_of(channel.account, channel.symbol)
                return self._push(channel, OrderChanges((), tuple(orders)))

    def history(self, channel: Channel, limit: int) -> Sequence[Push]:
        """See `hub.Source`."""
        if not isinstance(channel, KlineChannel) or channel.symbol not in self.projections.klines:
            return ()
        klines = self.projections.klines[channel.symbol].closed(channel.interval_s, limit)
        return [self._push(channel, KlineChange(kline, None)) for kline in klines]

    def _spread(self, changes: Changes) -> None:
        for (symbol, interval_s), turn in changes.turns.items():
            self._spread_turn(KlineChannel(symbol, interval_s), turn)
        for symbol in changes.klines:
            self.hub.touch((KlineChannel.event, symbol))
        for symbol in changes.books:
            self.hub.touch((OrderbookChannel.event, symbol))
        for account in changes.positions:
            for stream in self.hub.streams((PositionsChannel.event, account)):
                stream.spread(self.present(stream.channel))
        for account, orders in changes.orders.items():
            self._spread_orders(account, orders)

    def _spread_turn(self, channel: KlineChannel, turn: KlineTurn) -> None:
        """A new kline is told at once, with the last of the one that closed if that is untold."""
        stream = self.hub.stream(channel)
        if stream is None:
            return
        untold = turn.closed if stream.changed else None
        stream.changed = False
        for kline in turn.opened:
            stream.spread(self._push(channel, KlineChange(kline, untold)))
            untold = None

    def _spread_orders(self, account: str, orders: Sequence[Order]) -> None:
        for stream in self.hub.streams((OpenOrdersChannel.event, account)):
            channel = stream.channel
            assert isinstance(channel, OpenOrdersChannel)
            changed = [order.view() for order in orders if channel.symbol in (None, order.symbol)]
            if changed:
                cancel = tuple(order for order in changed if order.state is OrderState.CANCELED)
                modify = tuple(order for order in changed if order.state is not OrderState.CANCELED)
                stream.spread(self._push(channel, OrderChanges(cancel, modify)))

    def _push(
        self,
        channel: Channel,
        view: View,
        *,
        merge_key: Hashable | None = None,
        trade: int | None = None,
    ) -> Push:
        return Push(
            channel.event,
            channel.name,
            self.projections.seq,
            self._clock() // NS_PER_MS,
            encode_payload(view, self.projections.instruments),
            merge_key=merge_key,
            trade=trade,
        )

    def _flush(self) -> None:
        """Push what is due, and come back when the next is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        next_s = self.hub.flush(loop.time())
        if next_s is not None:
            self._timer = loop.call_at(next_s, self._flush)


def _kline_key(kline: Kline) -> Hashable:
    """Pushes of one kline may be merged, of two klines never."""
    return kline.symbol, kline.interval_s, kline.created_s
