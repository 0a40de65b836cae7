"""The one writer's loop: take what waits, decide, apply, make it durable, then tell.

No byte about an event leaves before its batch is durable. If the journal fails, the exchange stops.
"""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from jayx_stream.desk.local import Asked, LocalDesk
from jayx_stream.engine import Exchange
from jayx_stream.feed import Feed
from jayx_stream.hub.counts import FAST_SECONDS, Histogram
from jayx_stream.journal import Journal, JournalError
from jayx_stream.model.answers import Answer, Done
from jayx_stream.model.commands import AdvanceClock, Command
from jayx_stream.model.events import Commit
from jayx_stream.model.order import Order
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import MINUTE_NS

BATCH_COMMANDS_MAX = 1000
"""Commands that share one journal record, and so one sync of the disk."""

BATCH_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, BATCH_COMMANDS_MAX)


AfterBatch = Callable[[int], Awaitable[None]]
"""Told the seq at which a batch ended. Until it is done the exchange is exactly what is durable."""


class ExchangeLoop:
    """Drives an exchange from a desk to a journal and a feed."""

    def __init__(
        self,
        exchange: Exchange,
        desk: LocalDesk,
        journal: Journal,
        feed: Feed,
        after_batch: AfterBatch | None = None,
    ) -> None:
        self._exchange = exchange
        self._desk = desk
        self._journal = journal
        self._feed = feed
        self._after_batch = after_batch
        self.commit_s = Histogram(FAST_SECONDS)
        """For which the journal took to make a batch durable."""
        self.batch_commits = Histogram(BATCH_BOUNDS)

    async def run(self) -> None:
        """Serve the desk until it is closed and nothing waits. Raises JournalError after a failed
        append. However it ends before that, everyone who waits has been told UNAVAILABLE.
        """
        self._desk.open()
        asked: list[Asked] = []
        try:
            while asked := await self._desk.take(BATCH_COMMANDS_MAX):
                await self._serve(asked)
        except BaseException as error:
            cause = (
                "the journal failed" if isinstance(error, JournalError) else "the exchange stopped"
            )
            self._abandon(asked, f"{cause}; whether this was done shows after a restart")
            raise

    async def _serve(self, asked: Sequence[Asked]) -> None:
        commits: list[Commit] = []
        answers = [self._execute(each, commits) for each in asked]
        began_s = perf_counter()
        if commits:
            await self._journal.append(commits)
        durable_s = perf_counter()
        # Whoever awaits an answer goes on when this is over, but before a large crowd has been told.
        for each, answer in zip(asked, answers, strict=True):
            each.answer(answer)
        if commits:
            self._feed.publish(commits)
            self.commit_s.observe(durable_s - began_s)
            self.batch_commits.observe(len(commits))
            if self._after_batch is not None:
                await self._after_batch(commits[-1].seq)

    def _abandon(self, asked: Sequence[Asked], reason: str) -> None:
        """Tell everyone who has no answer yet that none will come."""
        self._desk.close(reason)
        self._desk.refuse_waiting(reason)
        for each in asked:
            each.answer(Refused(ErrorCode.UNAVAILABLE, reason))

    def _execute(self, asked: Asked, commits: list[Commit]) -> Answer:
        """Decide and apply one command, its minute before it. Its answer waits for the batch."""
        time_ns = max(asked.time_ns, self._exchange.time_ns)
        if time_ns >= self._exchange.minute_ns + MINUTE_NS:
            self._commit(AdvanceClock(minute_ns=time_ns), time_ns, commits)
        orders = self._commit(asked.command, time_ns, commits)
        if isinstance(orders, Refused):
            return orders
        return Done(self._exchange.seq, tuple([order.view() for order in orders]))

    def _commit(
        self, command: Command, time_ns: int, commits: list[Commit]
    ) -> Sequence[Order] | Refused:
        """Decide and apply; gives the orders placed, amended or canceled, now or when first asked."""
        events = self._exchange.decide(command)
        if isinstance(events, Refused):
            return events
        if events:
            commit = Commit(self._exchange.seq + 1, time_ns, events)
            commits.append(commit)
            return self._exchange.apply(commit)
        return self._exchange.already(command)
