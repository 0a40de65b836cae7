"""The one writer's loop: nothing is told before it is durable, and nothing after the journal failed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from jayx_stream.app.exchange import BATCH_COMMANDS_MAX, ExchangeLoop
from jayx_stream.app.recovery import exchange_fold, recover
from jayx_stream.desk.local import LocalDesk
from jayx_stream.engine import Exchange
from jayx_stream.journal import JournalError
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.answers import Answer, Done
from jayx_stream.model.commands import AmendOrder, Command, HaltTrading, OpenAccount
from jayx_stream.model.events import Commit, MinuteBegan
from jayx_stream.model.order import OrderState
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import MINUTE_NS
from tests.desk.commands import OPENING, buy, cancel, sell

START_NS = 1000 * MINUTE_NS


class SlowJournal(MemoryJournal):
    """Appends when it is let, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.may_append = asyncio.Event()
        self.may_append.set()
        self.batches: list[Sequence[Commit]] = []
        self.error: JournalError | None = None

    async def append(self, commits: Sequence[Commit]) -> None:
        self.batches.append(commits)
        await self.may_append.wait()
        if self.error is not None:
            raise self.error
        await super().append(commits)


class RecordingFeed:
    """Keeps what it is to carry."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []

    def publish(self, commits: Sequence[Commit]) -> None:
        self.commits += commits

    async def follow(self, after_seq: int, follower: object) -> None:
        raise NotImplementedError


class Stage:
    """An exchange between a desk and a slow journal. The venue's clock stands until it is set."""

    def __init__(self) -> None:
        self.time_ns = START_NS
        self.desk = LocalDesk(lambda: self.time_ns)
        self.journal = SlowJournal()
        self.feed = RecordingFeed()
        self.exchange = Exchange()
        self.loop = ExchangeLoop(self.exchange, self.desk, self.journal, self.feed)

    async def start(self) -> "asyncio.Task[None]":
        """Begin, and do the opening."""
        run = asyncio.create_task(self.loop.run())
        await asyncio.sleep(0)
        done(await self.ask(*OPENING))
        return run

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From the opening to a planned end."""
        run = await self.start()
        try:
            yield
        finally:
            self.journal.may_append.set()
            self.desk.close("over")
            await run

    async def ask(self, *commands: Command) -> list[Answer]:
        """All at once, as if they had waited; gives the answers."""
        return await asyncio.gather(*(self.desk.submit(command) for command in commands))


def done(answers: list[Answer]) -> list[Done]:
    """The answers, none of them a refusal."""
    good = [answer for answer in answers if isinstance(answer, Done)]
    assert good == answers
    return good


async def settle() -> None:
    """Let everyone go on as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_answer_and_no_event_leaves_before_it_is_durable() -> None:
    stage = Stage()
    async with stage.running():
        published = len(stage.feed.commits)
        stage.journal.may_append.clear()
        futures = [
            stage.desk.submit(buy("alice", 5, 100)),
            stage.desk.submit(buy("nobody", 5, 100)),
        ]
        await settle()
        assert len(stage.journal.batches[-1]) == 1
        assert [future.done() for future in futures] == [False, False]
        assert len(stage.feed.commits) == published
        stage.journal.may_append.set()
        placed, refused = await asyncio.gather(*futures)
        assert isinstance(placed, Done)
        assert isinstance(refused, Refused)
        assert stage.feed.commits[-1].seq == placed.seq == stage.journal.last_seq


class CrowdedFeed(RecordingFeed):
    """Has more to tell than goes out at once: the rest is told in the loop's next turn."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def publish(self, commits: Sequence[Commit]) -> None:
        super().publish(commits)
        asyncio.get_running_loop().call_soon(self._told.append, "the rest of the crowd")


async def test_who_asked_goes_on_before_the_rest_of_a_crowd_and_after_the_projections() -> None:
    told: list[str] = []
    stage = Stage()
    feed = CrowdedFeed(told)
    stage.loop = ExchangeLoop(stage.exchange, stage.desk, stage.journal, feed)
    async with stage.running():
        told.clear()
        future = stage.desk.submit(buy("alice", 5, 100))
        future.add_done_callback(lambda _: told.append(f"commit {feed.commits[-1].seq}"))
        placed = await future
        assert isinstance(placed, Done)
        await settle()
        assert told == [f"commit {placed.seq}", "the rest of the crowd"]


async def test_commands_that_wait_share_one_record() -> None:
    stage = Stage()
    async with stage.running():
        before = len(stage.journal.batches)
        stage.journal.may_append.clear()
        first = stage.desk.submit(buy("alice", 1, 1))
        await settle()
        others = [stage.desk.submit(buy("alice", 1, 1)) for _ in range(5)]
        stage.journal.may_append.set()
        answers = done(await asyncio.gather(first, *others))
        assert [len(commits) for commits in stage.journal.batches[before:]] == [1, 5]
        assert [answer.seq for answer in answers] == list(range(answers[0].seq, answers[0].seq + 6))


async def test_a_record_is_bounded() -> None:
    stage = Stage()
    async with stage.running():
        before = len(stage.journal.batches)
        commands = [OpenAccount(account=f"{number}") for number in range(BATCH_COMMANDS_MAX + 1)]
        await stage.ask(*commands)
        sizes = [len(commits) for commits in stage.journal.batches[before:]]
        assert sizes == [BATCH_COMMANDS_MAX, 1]


async def test_after_a_failed_append_everyone_is_told_and_the_loop_ends() -> None:
    stage = Stage()
    run = await stage.start()
    published = len(stage.feed.commits)
    stage.journal.error = JournalError("disk full")
    stage.journal.may_append.clear()
    in_batch = [stage.desk.submit(buy("alice", 1, 1)), stage.desk.submit(cancel("bob", 9))]
    await settle()
    waiting = stage.desk.submit(buy("bob", 1, 1))
    stage.journal.may_append.set()
    with pytest.raises(JournalError, match="disk full"):
        await run
    late = stage.desk.submit(buy("carol", 1, 1))
    for future in (*in_batch, waiting, late):
        answer = future.result()
        assert isinstance(answer, Refused)
        assert answer.code is ErrorCode.UNAVAILABLE
        assert "the journal failed" in answer.reason
    assert len(stage.feed.commits) == published


@pytest.mark.parametrize("submitted", [1, BATCH_COMMANDS_MAX + 1])
async def test_if_the_exchange_itself_fails_nobody_waits_for_ever(submitted: int) -> None:
    stage = Stage()
    run = await stage.start()
    durable = stage.journal.last_seq
    for book in stage.exchange.books.values():
        book.asks.ranks.append(0)  # of no level
    futures = [stage.desk.submit(buy("alice", 1, 1)) for _ in range(submitted)]
    with pytest.raises(KeyError):
        await run
    for answer in [future.result() for future in futures]:
        assert isinstance(answer, Refused)
        assert answer.reason == "the exchange stopped; whether this was done shows after a restart"
    assert stage.journal.last_seq == durable


async def test_a_minute_is_committed_before_its_first_command() -> None:
    stage = Stage()
    async with stage.running():
        opening = stage.feed.commits[0]
        assert (opening.seq, opening.events) == (1, (MinuteBegan(START_NS),))
        stage.time_ns = START_NS + 3 * MINUTE_NS + 5
        (answer,) = done(await stage.ask(buy("alice", 1, 1)))
        minute, placed = stage.feed.commits[-2:]
        assert minute.events == (MinuteBegan(START_NS + 3 * MINUTE_NS),)
        assert (minute.time_ns, placed.time_ns) == (stage.time_ns, stage.time_ns)
        assert (minute.seq, placed.seq) == (answer.seq - 1, answer.seq)
        await stage.ask(buy("alice", 1, 1))
        assert len(stage.feed.commits[-1].events) == 1
        assert stage.feed.commits[-1].seq == placed.seq + 1


async def test_the_exchanges_time_never_goes_back() -> None:
    stage = Stage()
    async with stage.running():
        stage.time_ns -= 5 * MINUTE_NS
        done(await stage.ask(buy("alice", 1, 1)))
        assert stage.feed.commits[-1].time_ns == START_NS


async def test_refused_commands_take_no_seq() -> None:
    stage = Stage()
    async with stage.running():
        seq = stage.journal.last_seq
        answers = await stage.ask(buy("nobody", 1, 1), cancel("alice", 99), buy("alice", 0, 1))
        assert [type(answer) for answer in answers] == [Refused] * 3
        assert stage.journal.last_seq == seq
        (answer,) = done(await stage.ask(buy("alice", 1, 1)))
        assert answer.seq == seq + 1


async def test_an_answer_holds_the_order_as_the_command_left_it() -> None:
    stage = Stage()
    async with stage.running():
        placed, sold, canceled = done(
            await stage.ask(buy("alice", 5, 100), sell("bob", 2, 100), cancel("alice", 1))
        )
        assert [answer.orders[0].state for answer in (placed, sold, canceled)] == [
            OrderState.NEW,
            OrderState.FILLED,
            OrderState.CANCELED,
        ]
        assert (placed.orders[0].remaining_lots, canceled.orders[0].executed_lots) == (5, 2)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_repeated_order_gives_the_first_and_no_commit(at_once: bool) -> None:
    stage = Stage()
    async with stage.running():
        order = buy("alice", 5, 100, name="mine")
        if at_once:
            first, again = done(await stage.ask(order, order))
        else:
            (first,) = done(await stage.ask(order))
            (again,) = done(await stage.ask(order))
        assert again.orders == first.orders
        assert again.seq == first.seq == stage.journal.last_seq


async def test_a_repeated_order_shows_what_became_of_it() -> None:
    stage = Stage()
    async with stage.running():
        order = buy("alice", 5, 100, name="mine")
        first, _ = done(await stage.ask(order, cancel("alice", 1)))
        (again,) = done(await stage.ask(order))
        assert again.orders[0].order_id == first.orders[0].order_id
        assert again.orders[0].state is OrderState.CANCELED


async def test_an_amendment_is_answered_with_the_order_whether_it_changed_or_not() -> None:
    stage = Stage()
    async with stage.running():
        amend = AmendOrder(account="alice", order_id=1, lots=3)
        _, amended, again = done(await stage.ask(buy("alice", 5, 100), amend, amend))
        assert (amended.orders[0].lots, amended.orders[0].remaining_lots) == (3, 3)
        assert again.orders == amended.orders
        assert again.seq == amended.seq == stage.journal.last_seq


async def test_a_halt_is_answered_with_the_orders_that_it_canceled() -> None:
    stage = Stage()
    async with stage.running():
        done(await stage.ask(buy("alice", 5, 100), buy("bob", 2, 99)))
        halt = HaltTrading(symbol="BTCUSDT", cancel_orders=True)
        halted, again = done(await stage.ask(halt, halt))
        assert [order.state for order in halted.orders] == [OrderState.CANCELED] * 2
        assert (again.orders, again.seq) == ((), halted.seq)


async def test_what_waits_when_the_desk_closes_is_still_done() -> None:
    stage = Stage()
    async with stage.running():
        future = stage.desk.submit(buy("alice", 1, 1))
        stage.desk.close("over")
    assert isinstance(future.result(), Done)


async def test_recovery_goes_on_where_life_ended() -> None:
    stage = Stage()
    async with stage.running():
        done(await stage.ask(buy("alice", 5, 100, name="mine"), sell("bob", 2, 100)))
    exchange = Exchange()
    desk = LocalDesk(lambda: START_NS)
    loop = ExchangeLoop(exchange, desk, stage.journal, stage.feed)
    events = sum(len(commit.events) for commit in stage.feed.commits)
    recovered = await recover(stage.journal, [exchange_fold(exchange)], None)
    assert (recovered.checkpoint_seq, recovered.events) == (0, events)
    assert exchange.seq == stage.journal.last_seq
    run = asyncio.create_task(loop.run())
    await asyncio.sleep(0)
    answer = await desk.submit(buy("alice", 5, 100, name="mine"))
    assert isinstance(answer, Done)
    assert (answer.orders[0].executed_lots, answer.seq) == (2, exchange.seq)
    desk.close("over")
    await run
