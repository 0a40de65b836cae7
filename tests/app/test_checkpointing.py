"""Checkpoints of a venue that lives, and starts from them: quicker, and otherwise the same."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import sleep

import msgspec
import pytest

from jayx_stream.app import checkpointing
from jayx_stream.app.checkpointing import Before, Checkpointing
from jayx_stream.app.exchange import ExchangeLoop
from jayx_stream.app.recovery import Fold, Folds, exchange_fold, projections_fold, recover
from jayx_stream.desk.local import LocalDesk
from jayx_stream.engine import Exchange, encode_exchange, state_hash
from jayx_stream.feed.local import LocalFeed
from jayx_stream.journal import Journal
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.answers import Done
from jayx_stream.model.commands import Command
from jayx_stream.model.events import Commit
from jayx_stream.projections import Projections, encode_projections
from tests.desk.commands import OPENING, buy, sell
from tests.engine.driving import Driver, crowd, opening

EVERY_COMMITS = 50


class Stage:
    """An exchange and views that are checkpointed into a folder."""

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        *,
        before: tuple[Before, ...] = (),
        more: Folds = (),
    ) -> None:
        self.folder = folder
        self.journal = journal
        self.exchange, self.projections = Exchange(), Projections()
        self.feed = LocalFeed(journal.read)
        self.time_ns = 0
        self.desk = LocalDesk(lambda: self.time_ns)
        self.folds: Folds = (
            exchange_fold(self.exchange),
            projections_fold(self.projections, self.follow),
            *more,
        )
        self.checkpointing = Checkpointing(
            folder, journal, self.folds, every_commits=EVERY_COMMITS, before=before
        )
        self.loop = ExchangeLoop(
            self.exchange, self.desk, journal, self.feed, self.checkpointing.after_batch
        )

    def follow(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            self.projections.apply(commit)

    @asynccontextmanager
    async def running(self, *, orderly: bool = True) -> AsyncIterator[int]:
        """From recovery to an orderly end, or just to an end; gives the checkpoint's seq."""
        recovered = await recover(self.journal, self.folds, self.folder)
        self.checkpointing.begin(recovered.checkpoint_seq)
        await self.feed.follow(self.journal.last_seq, self.follow)
        run = asyncio.create_task(self.loop.run())
        await asyncio.sleep(0)
        yield recovered.checkpoint_seq
        self.desk.close("over")
        await run
        if orderly:
            await self.checkpointing.close(self.exchange.seq)
        elif self.checkpointing._writing is not None:
            await self.checkpointing._writing

    async def ask(self, *commands: Command) -> None:
        for answer in await asyncio.gather(*map(self.desk.submit, commands)):
            assert isinstance(answer, Done), answer

    async def orders(self, count: int) -> None:
        for number in range(count):
            await self.ask(buy("alice", 1, 1 + number % 7, name=f"{self.exchange.seq}"))

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


async def test_one_is_written_every_so_many_commits_and_at_the_stop(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MemoryJournal())
    async with stage.running() as seq:
        assert seq == 0
        await stage.ask(*OPENING)
        await stage.orders(60)
        while not stage.files or not stage.files[0].endswith(".bin"):
            await asyncio.sleep(0.01)
        await stage.ask(sell("bob", 3, 1))
        last_seq = stage.exchange.seq
    assert stage.files == ["checkpoint-50.bin", f"checkpoint-{last_seq}.bin"]
    again = Stage(tmp_path, stage.journal)
    async with again.running() as seq:
        assert seq == last_seq
        assert encode_projections(again.projections.state()) == encode_projections(
            stage.projections.state()
        )
        assert state_hash(again.exchange) == state_hash(stage.exchange)
    assert again.files == stage.files, "nothing happened, so nothing was written"


async def test_checkpoint_and_tail_are_the_whole_journal(tmp_path: Path) -> None:
    journal, random, driver = MemoryJournal(), Random(1), Driver()
    for command in (*opening(), *crowd(random, driver, 1500)):
        driver.ask(command)
    for begin in range(0, len(driver.commits), 7):
        await journal.append(driver.commits[begin : begin + 7])
        if random.random() < 0.05:
            stage = Stage(tmp_path, journal)
            async with stage.running() as seq:
                assert seq or not begin or not stage.files
    whole = Stage(tmp_path, journal)
    await recover(journal, whole.folds, None)
    resumed = Stage(tmp_path, journal)
    recovered = await recover(journal, resumed.folds, tmp_path)
    assert 0 < recovered.checkpoint_seq < journal.last_seq
    assert state_hash(resumed.exchange) == state_hash(whole.exchange) == state_hash(driver.exchange)
    assert resumed.projections.state() == whole.projections.state()


async def test_the_venue_goes_on_while_one_is_written(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MemoryJournal(), more=(busy("slow", lambda: sleep(0.3)),))
    async with stage.running(orderly=False):
        await stage.ask(*OPENING)
        await stage.orders(140)
        assert stage.checkpointing._writing is not None
        assert not stage.checkpointing._writing.done()
        assert all(not name.endswith(".bin") for name in stage.files)
    assert stage.files == ["checkpoint-50.bin"], "one at a time, as it stood at the fork"


async def test_what_must_be_durable_before_is_awaited(tmp_path: Path) -> None:
    flushed: list[int] = []

    async def flush(seq: int) -> None:
        await asyncio.sleep(0.02)
        assert not list(tmp_path.glob("*.bin"))
        flushed.append(seq)

    stage = Stage(tmp_path, MemoryJournal(), before=(flush,))
    async with stage.running():
        await stage.ask(*OPENING)
        last_seq = stage.exchange.seq
    assert flushed == [last_seq]
    assert stage.files == [f"checkpoint-{last_seq}.bin"]


async def test_a_checkpoint_that_fails_is_said_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(tmp_path / "gone", MemoryJournal())
    with caplog.at_level(logging.ERROR, "jayx_stream.journal"):
        async with stage.running():
            await stage.ask(*OPENING)
            await stage.orders(120)
    assert "no checkpoint of commit 50: FileNotFoundError" in caplog.text


async def test_a_child_that_hangs_costs_only_the_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "STOP_DEADLINE_S", 0.1)
    stage = Stage(tmp_path, MemoryJournal(), more=(busy("slow", lambda: sleep(60)),))
    with caplog.at_level(logging.ERROR, "jayx_stream.journal"):
        async with stage.running():
            await stage.ask(*OPENING)
    assert "and was killed" in caplog.text
    assert stage.files == []


async def test_a_checkpoint_without_a_part_or_of_another_form_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(tmp_path, MemoryJournal())
    async with stage.running():
        await stage.ask(*OPENING)
    for fold in (
        busy("third", lambda: None),
        busy("exchange", lambda: None),
    ):
        again = Stage(tmp_path, stage.journal)
        recovered = await recover(stage.journal, (*again.folds, fold), tmp_path)
        assert recovered.checkpoint_seq == 0
        assert state_hash(again.exchange) == state_hash(stage.exchange)
    assert "passed over: KeyError('third')" in caplog.text
    assert "passed over: ValidationError" in caplog.text


async def test_one_that_somebody_has_to_see_the_past_of_is_not_used(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MemoryJournal())
    async with stage.running():
        await stage.ask(*OPENING)
    again = Stage(tmp_path, stage.journal)
    recovered = await recover(stage.journal, again.folds, tmp_path, at_most_seq=1)
    assert recovered.checkpoint_seq == 0
    assert again.exchange.seq == stage.exchange.seq


async def test_a_long_recovery_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jayx_stream.app.recovery.PROGRESS_S", 0.0)
    journal, driver = MemoryJournal(), Driver()
    for command in opening():
        driver.ask(command)
    await journal.append(driver.commits)
    await recover(journal, Stage(Path(), journal).folds, None)
    told = capsys.readouterr().err
    assert "100.0 %" in told
    assert f"{len(driver.commits)} events recovered" in told
    assert told.endswith(" events/s\n")


def busy(name: str, work: Callable[[], None]) -> Fold[int]:
    """A part that does something when it is written, and wants a number back."""

    def encode() -> bytes:
        work()
        return msgspec.msgpack.encode(1)

    def nothing(_: object) -> None:
        pass

    decoder = msgspec.msgpack.Decoder(int)
    return Fold(name=name, follow=nothing, encode=encode, decode=decoder.decode, restore=nothing)


def test_the_parts_are_the_states(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MemoryJournal())
    exchange, projections = stage.folds
    assert exchange.encode() == encode_exchange(stage.exchange.state())
    assert projections.encode() == encode_projections(stage.projections.state())
