"""An exchange's state is one value: whoever restores it goes on as if nothing had been."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random

import msgspec
import pytest

from jayx_stream.engine import Exchange, decode_exchange, encode_exchange, state_hash
from jayx_stream.model.commands import (
    AddKey,
    AmendOrder,
    Command,
    HaltTrading,
    PlaceOrder,
    RevokeKey,
    Withdraw,
)
from jayx_stream.model.events import decode_commits, encode_commits
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from tests.engine import invariants
from tests.engine.driving import OPEN_ORDERS_MAX, Driver, crowd, key, opening

ROOT = Path(__file__).parents[2]


def live(driver: Driver, seed: int, count: int) -> Iterator[Command]:
    """Let a crowd loose on the driver's exchange; gives each command, done."""
    for command in chain(opening(), crowd(Random(seed), driver, count)):
        driver.ask(command)
        yield command


def again(exchange: Exchange) -> Exchange:
    """Another exchange from the first one's bytes."""
    restored = Exchange(open_orders_max=OPEN_ORDERS_MAX)
    restored.restore(decode_exchange(encode_exchange(exchange.state())))
    return restored


@pytest.mark.parametrize("seed", range(6))
def test_a_restored_exchange_does_what_the_first_one_does(seed: int) -> None:
    life, random = Driver(), Random(seed)
    restored = Driver()
    for command in live(life, seed, 1500):
        restored.time_ns = life.time_ns
        if random.random() < 0.02:
            before = invariants.state(restored.exchange)
            restored.exchange = again(restored.exchange)
            assert invariants.state(restored.exchange) == before
            invariants.check(restored.exchange)
        restored.ask(command)
        assert len(restored.commits) == len(life.commits), command
    assert restored.commits == life.commits
    assert invariants.state(restored.exchange) == invariants.state(life.exchange)
    assert state_hash(restored.exchange) == state_hash(life.exchange)


def test_life_replay_and_checkpoint_with_tail_have_one_hash_after_every_commit() -> None:
    driver, told = Driver(), ""
    for _ in live(driver, 7, 400):
        told += state_hash(driver.exchange)
    replayed, resumed, retold, reretold = Exchange(), Exchange(), "", ""
    seqs = iter(driver.commits)
    driver = Driver()
    for _ in live(driver, 7, 400):
        while replayed.seq < driver.exchange.seq:
            (commit,) = decode_commits(encode_commits([next(seqs)]))
            replayed.apply(commit)
            resumed = again(resumed) if commit.seq % 10 == 0 else resumed
            resumed.apply(commit)
        retold += state_hash(replayed)
        reretold += state_hash(resumed)
    assert retold == told
    assert reretold == told


def test_every_change_changes_the_hash() -> None:
    driver, hashes, seqs = Driver(), set(), set()
    for _ in live(driver, 3, 1000):
        hashes.add(state_hash(driver.exchange))
        seqs.add(driver.exchange.seq)
    assert len(hashes) == len(seqs)


def test_hashes_are_the_same_in_every_process() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.engine.print_hashes", "11", "1500"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "random")
    ]
    told = [run.communicate()[0].split() for run in runs]
    assert len(told[0]) == 3
    assert told[1:] == told[:1] * 2


def test_a_restored_exchange_refuses_what_the_first_one_does() -> None:
    driver, added = Driver(), key("ann", "ann's")
    place = PlaceOrder(
        account="ann",
        symbol="OILUSD",
        side=Side.SELL,
        type=OrderType.LIMIT,
        lots=9,
        limit_ticks=10,
        client_order_id="mine",
    )
    withdraw = Withdraw(account="ann", asset="USD", units=5, reference="r")
    done: tuple[Command, ...] = (
        place,
        AmendOrder(account="ann", client_order_id="mine", lots=4),
        withdraw,
        HaltTrading(symbol="OILUSD"),
        AddKey(key=added),
        RevokeKey(key_id=added.key_id),
    )
    for command in (*opening(), *done):
        assert not isinstance(driver.ask(command), Refused), command
    asked: tuple[tuple[Command, ErrorCode | None], ...] = (
        (place, None),
        (msgspec.structs.replace(place, lots=4), ErrorCode.CLIENT_ORDER_ID_USED),
        (msgspec.structs.replace(place, client_order_id="new"), ErrorCode.MARKET_HALTED),
        (withdraw, None),
        (msgspec.structs.replace(withdraw, units=6), ErrorCode.BAD_REQUEST),
        (RevokeKey(key_id=added.key_id), None),
        (AddKey(key=added), ErrorCode.BAD_REQUEST),
    )
    for exchange in (driver.exchange, again(driver.exchange)):
        for command, code in asked:
            told = exchange.decide(command)
            assert told == () if code is None else isinstance(told, Refused) and told.code is code


def test_only_an_empty_exchange_is_restored() -> None:
    driver = Driver()
    for _ in live(driver, 0, 10):
        pass
    with pytest.raises(AssertionError, match="can't be restored"):
        driver.exchange.restore(Exchange().state())


def test_anything_else_is_no_state() -> None:
    for data in (b"", b"\x90", encode_commits([]), encode_exchange(Exchange().state())[:-1]):
        with pytest.raises(msgspec.DecodeError):
            decode_exchange(data)
