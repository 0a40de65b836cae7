"""The gateway: follows the feed, folds events into views, and gives each view to whoever reads it.

Runs on one event loop and holds no truth: all that it has can be folded again.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import partial

from jayx_stream.app.clock import Clock
from jayx_stream.app.pace import Pace
from jayx_stream.app.resuming import Resuming
from jayx_stream.doors.sockets import write_each
from jayx_stream.history import History
from jayx_stream.history.memory import MemoryHistory
from jayx_stream.hub.catch_up import CatchUp
from jayx_stream.hub.turn import WriteMany
from jayx_stream.model.events import Commit
from jayx_stream.model.order import OrderState
from jayx_stream.model.past import AccountChange
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import (
    Kline,
    KlineChange,
    KlineTurn,
    Orderbook,
    OrderChanges,
    Positions,
    View,
)
from jayx_stream.projections import (
    Changes,
    Projections,
    RecentChanges,
    account_change,
    rows_of,
)
from jayx_stream.wire.channels import (
    ACCOUNT,
    PUSHED_TRADES,
    Channel,
    KlineChannel,
    OpenOrdersChannel,
    OrderbookChannel,
    PositionsChannel,
)
from jayx_stream.wire.delta import book_checksum
from jayx_stream.wire.payloads import Payloads
from jayx_stream.wire.push import Push


class Gateway:
    """Projections and hub, and between them the rules of when a change is told (protocol §4 to §7)."""

    def __init__(
        self,
        clock: Clock,
        history: History | None = None,
        on_revoked: Callable[[str], object] = lambda key_id: None,
        *,
        kline_interval_ms: int,
        orderbook_interval_ms: int,
        write_many: WriteMany = write_each,
    ) -> None:
        """`history` is followed on from where it ends; without one, it ends with the process.
        `on_revoked` is told the id of each key that is let in no more, once it is. For `write_many` see
        `Turn`.
        """
        self._clock = clock
        self.projections = Projections()
        self._payloads = Payloads()
        self._history = history or MemoryHistory()
        self._on_revoked = on_revoked
        self._recent = RecentChanges()
        intervals_s = {
            KlineChannel.event: kline_interval_ms / 1000,
            OrderbookChannel.event: orderbook_interval_ms / 1000,
        }
        self.pace = Pace(self, intervals_s, clock, write_many)
        self.hub = self.pace.hub
        self._resuming = Resuming(self.hub, self._recent, self._history, self._change)

    def follow(self, commits: Sequence[Commit]) -> None:
        """Take the next commits in and tell what they changed. The feed calls this."""
        for commit in commits:
            self._keep(self._take_in(commit))
        self.pace.flush()

    def follow_live(self, commits: Sequence[Commit]) -> None:
        """The same of what happens now: how late it is told is counted, and what the newest commit changed
        is kept when it has been told.
        """
        for commit in commits[:-1]:
            self._keep(self._take_in(commit))
        newest = self._take_in(commits[-1])
        self.pace.flush()
        self.pace.told(commits[0].time_ns)
        self._keep(newest)

    def catch_up(self, reader: CatchUp) -> None:
        """See `hub.Source`."""
        # Commits that history had already at the start were folded without their changes.
        self._recent.skip_to(self.projections.seq)
        self._resuming.begin(reader, self.projections.seq)

    def present(self, channel: Channel, *, reset: bool = False) -> Push:
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
                return self._push(
                    channel, book, merge_key=channel, trade=book.trade_id, whole=channel.delta
                )
            case PositionsChannel():
                positions = self.projections.positions.of(channel.account)
                return self._push(channel, positions, merge_key=channel, reset=reset)
            case OpenOrdersChannel():
                orders = self.projections.orders.open_of(channel.account, channel.symbol)
                return self._push(channel, OrderChanges((), tuple(orders)), reset=reset)

    def history(self, channel: Channel, limit: int) -> Sequence[Push]:
        """See `hub.Source`."""
        if not isinstance(channel, KlineChannel) or channel.symbol not in self.projections.klines:
            return ()
        klines = self.projections.klines[channel.symbol].closed(channel.interval_s, limit)
        return [self._push(channel, KlineChange(kline, None)) for kline in klines]

    def _take_in(self, commit: Commit) -> Changes:
        changes = self.projections.apply(commit)
        if self.hub.all_streams():
            self._spread(changes)
        for key_id in changes.revoked:
            self._on_revoked(key_id)
        return changes

    def _spread(self, changes: Changes) -> None:
        for (symbol, interval_s), turn in changes.turns.items():
            self._spread_turn(KlineChannel(symbol, interval_s), turn)
        for symbol in changes.klines:
            self.hub.touch((KlineChannel.event, symbol))
        for symbol in changes.books:
            self.hub.touch((OrderbookChannel.event, symbol))
        for account in changes.accounts():
            streams = self.hub.streams((ACCOUNT, account))
            if streams:
                change = account_change(account, changes, self.projections)
                for stream in streams:
                    push = self._change(stream.channel, change, merge_key=stream.channel)
                    if push is not None:
                        stream.spread(push)

    def _keep(self, changes: Changes) -> None:
        """Keep what the newest commit changed for who was away, and hand it on to history if it has all
        that comes before: what it lacks after a start is folded for it from the journal.
        """
        if changes.seq <= self._history.last_seq:
            return
        rows = rows_of(changes, self.projections)
        self._recent.add(rows)
        if rows.seq == self._history.last_seq + 1:
            self._history.append(rows)

    def _change(
        self, channel: Channel, change: AccountChange, merge_key: Hashable | None = None
    ) -> Push | None:
        """What readers of a channel are told of a change, now or later; with a `merge_key` states may
        be merged.
        """
        if isinstance(channel, PositionsChannel):
            if change.positions is None:
                return None
            view = Positions(change.positions)
            return self._push(channel, view, merge_key=merge_key, seq=change.seq)
        assert isinstance(channel, OpenOrdersChannel)
        orders = [each for each in change.orders if channel.symbol in (None, each.symbol)]
        if not orders:
            return None
        cancel = tuple(each for each in orders if each.state is OrderState.CANCELED)
        modify = tuple(each for each in orders if each.state is not OrderState.CANCELED)
        return self._push(channel, OrderChanges(cancel, modify), seq=change.seq)

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

    def _push(
        self,
        channel: Channel,
        view: View,
        *,
        merge_key: Hashable | None = None,
        trade: int | None = None,
        reset: bool = False,
        seq: int | None = None,
        whole: bool = False,
    ) -> Push:
        """`whole`: changes will be told of this book, and the whole only to who comes, or is slow."""
        state = view if whole and isinstance(view, Orderbook) else None
        payload = partial(self._payloads.encode, channel, view, self.projections.instruments)
        return Push(
            channel.event,
            channel.name,
            self.projections.seq if seq is None else seq,
            self._clock() // NS_PER_MS,
            payload() if state is None else payload,
            merge_key=merge_key,
            trade=trade,
            reset=reset,
            state=state,
            checksum=None if state is None else book_checksum(state),
        )


def _kline_key(kline: Kline) -> Hashable:
    """Pushes of one kline may be merged, of two klines never."""
    return kline.symbol, kline.interval_s, kline.created_s
