"""A kline's history and its stream never differ: over random runs, restarts and a day of downtime."""

from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from jayx_stream.app.clock import RecordedClock
from jayx_stream.app.vault import Vault
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.history.sqlite import SqliteHistory
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.model.commands import AdvanceClock
from jayx_stream.model.units import NS_PER_S
from jayx_stream.wire.channels import KlineChannel
from tests.desk.commands import buy, sell
from tests.doors.running import configured
from tests.feed.stage import START_S
from tests.hub.reader import Reader

DAY_S = 86_400
VAULT = Vault(bytes(32))
INTERVALS_S = (60, 300, 3600, 86_400, 604_800)


class Life:
    """A venue on a recorded clock, started again and again on one folder, and what its kline streams told."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self.random = Random(seed)
        self.time_s = START_S
        self.closed: dict[int, dict[int, Any]] = {each: {} for each in INTERVALS_S}
        """By interval and start, the last state that was told of each kline."""

    async def start(self) -> int:
        journal = await SqliteJournal.open(self._folder)
        past = await SqliteHistory.open(self._folder, journal.epoch, journal.last_seq)
        self.clock = RecordedClock(self.time_s * NS_PER_S)
        self.venue = EmbeddedVenue(configured(), journal, self.clock, self._folder, past, VAULT)
        await self.venue.recover()
        port = await self.venue.start()
        self.readers = {each: Reader() for each in INTERVALS_S}
        for interval_s, reader in self.readers.items():
            channel = KlineChannel("BTCUSDT", interval_s)
            self.venue.hub.subscribe(reader.outbox, channel, history=1000, now_s=0.0)
        return port

    async def trade(self, minutes: int) -> None:
        for _ in range(minutes):
            for _ in range(self.random.choice((0, 0, 1, 3))):
                self.clock.advance(self.time_s * NS_PER_S + self.random.randint(0, 59) * NS_PER_S)
                lots, ticks = self.random.randint(1, 9), self.random.randint(90, 110)
                await self.venue.insist(sell("alice", lots, ticks))
                await self.venue.insist(buy("bob", lots, ticks))
            self.time_s += 60
            self.clock.advance(self.time_s * NS_PER_S)
            await self.venue.insist(AdvanceClock(minute_ns=self.time_s * NS_PER_S))
        self._listen()

    def _listen(self) -> None:
        for interval_s, reader in self.readers.items():
            for message in reader.messages:
                for part in ("modify", "add"):
                    kline = message["message"][part]
                    if kline is not None:
                        self.closed[interval_s][kline["created"]] = kline
            reader.frames.clear()

    async def stop(self) -> None:
        self._listen()
        await self.venue.stop()


async def klines(port: int, **parameters: Any) -> list[Any]:
    base = f"http://127.0.0.1:{port}/api/v1/public"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        answer = await http.get("/klines", params={"symbol": "BTCUSDT", **parameters})
    assert answer.status_code == 200, answer.text
    data: list[Any] = answer.json()["data"]
    return data


@pytest.mark.parametrize("seed", range(3))
async def test_history_holds_the_klines_that_the_stream_told(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    for downtime_s in (0, 120, DAY_S, 0):
        life.time_s += downtime_s
        port = await life.start()
        await life.trade(12)
        for interval_s in INTERVALS_S:
            told = life.closed[interval_s]
            held: list[Any] = []
            while True:
                after_s = held[-1]["created"] + 1 if held else 0
                page = await klines(port, interval=interval_s, **{"from": after_s, "limit": 100})
                held += page
                if len(page) < 100:
                    break
            starts = [each["created"] for each in held]
            step_s = interval_s
            assert starts == list(range(starts[0], starts[-1] + 1, step_s)), "a gap"
            by_start = {each["created"]: each for each in held}
            assert {start: by_start[start] for start in told} == told
            newest = await klines(port, interval=interval_s, limit=1000)
            assert newest == held[-1000:]
            untold = [by_start[start] for start in by_start if start not in told]
            assert all(each["v"] == 0 for each in untold), "traded in, and never told"
        await life.stop()
    assert len(life.closed[60]) > 1000


async def test_a_range_is_oldest_first_with_the_open_one_last(tmp_path: Path) -> None:
    life = Life(tmp_path, 1)
    port = await life.start()
    while not life.closed[60]:
        await life.trade(1)
    await life.trade(30)
    whole = await klines(port, interval=60)
    first_s, last_s = whole[0]["created"], whole[-1]["created"]

    async def within(**parameters: Any) -> list[int]:
        found = await klines(port, interval=60, **parameters)
        assert found == [each for each in whole if each in found]
        return [each["created"] for each in found]

    every = [each["created"] for each in whole]
    assert await within(**{"from": 0}) == every
    assert await within(to=last_s + 10**6) == every
    assert await within(**{"from": first_s + 1, "to": last_s - 1}) == every[1:-1]
    assert await within(**{"from": first_s, "limit": 3}) == every[:3]
    assert await within(to=last_s, limit=3) == every[-3:]
    assert await within(to=last_s, limit=1) == every[-1:]
    assert await within(to=last_s - 1, limit=2) == every[-3:-1]
    assert await within(**{"from": last_s}) == every[-1:]
    assert await within(**{"from": last_s + 1}) == []
    assert await within(to=first_s - 1) == []
    assert await within(**{"from": first_s, "to": first_s}) == every[:1]
    assert await within(**{"from": first_s, "limit": len(every)}) == every
    assert await within(**{"from": first_s, "limit": len(every) - 1}) == every[:-1]
    await life.stop()
