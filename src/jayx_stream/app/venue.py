"""A venue in one process: exchange, gateway and doors on one event loop, and one journal.

Order of life: recover, make what the configuration asks for, listen; at the end the other way round.
"""

import asyncio
from collections import Counter
from pathlib import Path

from starlette.routing import Route

from jayx_stream.app.audit import write_audit
from jayx_stream.app.busy_poll import BusyPoll
from jayx_stream.app.checkpointing import Checkpointing
from jayx_stream.app.clock import Clock, system_clock
from jayx_stream.app.config import Config, Streams
from jayx_stream.app.configured_keys import check_secrets, make_keys
from jayx_stream.app.exchange import ExchangeLoop
from jayx_stream.app.gate import VenueGate
from jayx_stream.app.gateway import Gateway
from jayx_stream.app.issuing import issue
from jayx_stream.app.metrics import Sources, VenueMetrics
from jayx_stream.app.recovery import Folds, Recovered, exchange_fold, projections_fold, recover
from jayx_stream.app.refolding import flush, refold
from jayx_stream.app.vault import Vault, VaultError
from jayx_stream.desk.local import LocalDesk
from jayx_stream.doors.counts import OrderCounts
from jayx_stream.doors.engineio import EngineDoor
from jayx_stream.doors.listener import Listener, listen
from jayx_stream.doors.operator_forms import Issued, KeyRequest
from jayx_stream.doors.page import Page
from jayx_stream.doors.polling import Polling
from jayx_stream.doors.rest import rest_application
from jayx_stream.doors.socketio import PATH, SocketSpeaker
from jayx_stream.doors.sockets import fastest_writes
from jayx_stream.doors.streams import WebSocketDoor
from jayx_stream.doors.tls import ServerTls
from jayx_stream.engine import Exchange
from jayx_stream.feed.local import LocalFeed
from jayx_stream.history import History
from jayx_stream.history.memory import MemoryHistory
from jayx_stream.hub.hub import Hub
from jayx_stream.journal import Journal
from jayx_stream.model.answers import Answer
from jayx_stream.model.commands import AdvanceClock, Command, Deposit, ListInstrument, OpenAccount
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import MINUTE_NS, NS_PER_MS, NS_PER_S
from jayx_stream.projections import Projections


class SetupError(Exception):
    """What the configuration asks for contradicts what the journal holds, or can't open it."""


class EmbeddedVenue:
    """See `doors.Venue`. Made, then `recover`, `start`, and at last `stop`."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        clock: Clock,
        checkpoints: Path | None = None,
        past: History | None = None,
        vault: Vault | None = None,
        tls: ServerTls | None = None,
    ) -> None:
        """`checkpoints`: the folder that they are kept in, for a journal that is kept, too. `past` is
        the journal's; without one, it ends with the process. So do secrets without a `vault`.
        """
        self.config = config
        self.limits = config.limits
        self.origins = config.server.origins
        self.not_ready: str | None = "the venue is starting"
        self._journal = journal
        self.past: History = MemoryHistory(config.data.changes_kept) if past is None else past
        self._past_is_kept = past is not None
        self._clock = clock
        self._desk = LocalDesk(clock)
        self._feed = LocalFeed(journal.read)
        self.busy_poll = BusyPoll(config.server.busy_poll_ms / 1000, lambda: self._desk.is_attended)
        exchange = Exchange(open_orders_max=config.limits.open_orders_per_account)
        self.writes = fastest_writes(io_uring=config.server.io_uring)
        self._gateway = self._make_gateway(config.streams)
        self._folds: Folds = (
            exchange_fold(exchange),
            projections_fold(self._gateway.projections, self._gateway.follow),
        )
        self._checkpoints = checkpoints
        self._checkpointing = self._make_checkpointing()
        self._used_signatures = exchange.signatures
        self._exchange = ExchangeLoop(exchange, self._desk, journal, self._feed, self._after_batch)
        self._vault = Vault.of_this_process() if vault is None else vault
        self.gate = VenueGate(
            config.limits,
            self._gateway.projections.instruments,
            self._gateway.projections.keys,
            self._vault,
            signed_streams=config.keys.signed_streams,
        )
        is_plain = config.server.tls_cert is None and not config.server.tls_dev
        assert is_plain == (tls is None), "TLS that is asked for is there, and no other"
        self._tls = tls
        self.order_counts = OrderCounts()
        self._door = WebSocketDoor(self)
        self._socketio = EngineDoor(self._door, PATH, SocketSpeaker)
        self.metrics = VenueMetrics(self._sources())
        self.recovered_ns = 0
        """Time of the last commit that was recovered."""
        self._listener: Listener | None = None
        self._minutes: asyncio.Task[None] | None = None
        self._exchange_run: asyncio.Task[None] | None = None

    def _make_gateway(self, streams: Streams) -> Gateway:
        return Gateway(
            self._clock,
            self.past,
            self._end_connections_of,
            kline_interval_ms=streams.kline_interval_ms,
            orderbook_interval_ms=streams.orderbook_interval_ms,
            write_many=self.writes.write_many,
        )

    def _make_checkpointing(self) -> Checkpointing | None:
        every_commits = self.config.data.checkpoint_commits
        if self._checkpoints is None or not every_commits:
            return None
        return Checkpointing(
            self._checkpoints,
            self._journal,
            self._folds,
            every_commits=every_commits,
            before=(lambda seq: flush(self.past),),
        )

    def _sources(self) -> Sources:
        """Of all figures."""
        return Sources(
            hub=self.hub,
            projections=self.projections,
            doors=self._door.visitors,
            orders=self.order_counts,
            http={"public": Counter(), "operator": Counter()},
            fan_out_s=self._gateway.pace.fan_out_s,
            event_lag_s=self._gateway.pace.event_lag_s,
            commit_s=self._exchange.commit_s,
            batch_commits=self._exchange.batch_commits,
            failed_keys=lambda: self.gate.failed_keys,
            waiting_commands=lambda: self._desk.waiting,
            history_seq=lambda: self.past.last_seq,
            ready=lambda: self.not_ready is None,
            epoch=self.epoch,
            directory=self._checkpoints,
        )

    @property
    def deflate(self) -> bool:
        """See `doors.Venue`."""
        return self.config.streams.deflate

    @property
    def epoch(self) -> str:
        """See `doors.Venue`."""
        return self._journal.epoch

    @property
    def hub(self) -> Hub:
        """See `doors.Venue`."""
        return self._gateway.hub

    @property
    def projections(self) -> Projections:
        """See `doors.Venue`."""
        return self._gateway.projections

    def time_ms(self) -> int:
        """See `doors.Venue`."""
        return self._clock() // NS_PER_MS

    def submit(self, command: Command) -> asyncio.Future[Answer]:
        """See `doors.Venue`."""
        return self._desk.submit(command)

    def issue(self, request: KeyRequest) -> Issued:
        """See `doors.operator.Operated`."""
        return issue(request, self._vault)

    async def recover(self) -> Recovered:
        """Fold the journal, from the newest good checkpoint on. Raises JournalError."""
        recovered = await recover(
            self._journal,
            self._folds,
            self._checkpoints,
            at_most_seq=self.past.last_seq if self._past_is_kept else None,
            room=self.past.room,
        )
        if self.past.last_seq < self._journal.last_seq:
            await refold(self._journal, self.past)
        await self._feed.follow(self._journal.last_seq, self._gateway.follow_live)
        await self._feed.follow(self._journal.last_seq, write_audit)
        if self._checkpointing is not None:
            self._checkpointing.begin(recovered.checkpoint_seq)
        for digest, expires_ms in self._used_signatures.items():
            self.gate.remember(digest, expires_ms)
        self.recovered_ns = self.projections.time_ns
        return recovered

    async def start(self) -> int:
        """Serve from now on; gives the port. Raises ListenError, SetupError, JournalError."""
        try:
            check_secrets(self.projections.keys, self._vault)
            self._vault.keep()
        except VaultError as error:
            raise SetupError(str(error)) from error
        server = self.config.server
        listening = listen(server.host, server.port)
        listener = Listener(
            listening,
            rest_application(self, Route(PATH, Polling(self._socketio)), *Page().routes()),
            self._door,
            tls=self._tls,
            proxies=server.proxies,
            http_counts=self.metrics.http["public"],
        )
        self._exchange_run = asyncio.create_task(self._exchange.run())
        self._exchange_run.add_done_callback(self._be_unready)
        await asyncio.sleep(0)
        await self._make_what_is_configured()
        if self._clock is system_clock:
            # Whoever drives another clock strikes its minutes too.
            self._minutes = asyncio.create_task(self._strike_minutes())
        await listener.start()
        self._listener = listener
        self.not_ready = None
        return int(listening.getsockname()[1])

    def _end_connections_of(self, key_id: str) -> None:
        """A key was revoked: whoever was let in by it is shown out."""
        self._door.revoke(key_id)

    def _be_unready(self, exchange_run: asyncio.Task[None]) -> None:
        if not exchange_run.cancelled() and exchange_run.exception() is not None:
            self.not_ready = "the exchange failed; see its last words"

    async def _after_batch(self, seq: int) -> None:
        """See `ExchangeLoop`. An exchange that is faster than history can be written waits for it."""
        self.busy_poll.stir()
        await self.past.room()
        if self._checkpointing is not None:
            await self._checkpointing.after_batch(seq)

    async def exchange_end(self) -> None:
        """Wait until the exchange stops. Raises JournalError if that is why."""
        assert self._exchange_run is not None, "the venue was not started"
        await asyncio.shield(self._exchange_run)

    async def stop(self) -> None:
        """Drain, let the exchange finish what waits, and close the journal. As far as it was started."""
        self.not_ready = "the venue is stopping"
        if self._listener is not None:
            await self._listener.drain(self.limits.drain_s)
            await self._listener.stop()
        if self._minutes is not None:
            self._minutes.cancel()
        self._desk.close("the exchange is stopping")
        if self._exchange_run is not None:
            await asyncio.wait([self._exchange_run])
            ended_well = not self._exchange_run.cancelled() and not self._exchange_run.exception()
            if self._checkpointing is not None and ended_well:
                await self._checkpointing.close(self._journal.last_seq)
        await self.past.close()
        await self._journal.close()

    async def _make_what_is_configured(self) -> None:
        """Instruments, accounts, keys and deposits; those that are there already stay as they are."""
        for terms in self.config.instruments:
            await self.insist(ListInstrument(instrument=terms.define()))
        for account in self.config.accounts:
            await self.insist(OpenAccount(account=account.name))
            for asset, units in account.deposit_units().items():
                reference = f"configured {asset}"
                deposit = Deposit(
                    account=account.name, asset=asset, units=units, reference=reference
                )
                await self.insist(deposit)
        await make_keys(self.config.accounts, self.projections.keys, self._vault, self.insist)

    async def insist(self, command: Command) -> None:
        """Have a command done. Raises SetupError if it is refused."""
        answer = await self.submit(command)
        if isinstance(answer, Refused):
            raise SetupError(answer.reason)

    async def _strike_minutes(self) -> None:
        """Have each minute begin on time, whether or not anything else happens."""
        while True:
            rest_ns = MINUTE_NS - self._clock() % MINUTE_NS
            await asyncio.sleep(rest_ns / NS_PER_S)
            await self.submit(AdvanceClock(minute_ns=self._clock()))
