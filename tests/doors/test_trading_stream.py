"""Orders over the stream: the same as over REST, in the order sent, and never before they are durable
(protocol §9).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.events import OrderPlaced, SignatureUsed
from tests.doors.raw import BINARY, CLOSE, frame, request, text
from tests.doors.running import Running, configured, limits, venue
from tests.doors.stream_trader import (
    HeldJournal,
    StreamTrader,
    events_of,
    logged_in,
    login,
    order,
    signature,
)
from tests.doors.test_rest_refusals import SIGNED, Case
from tests.doors.trader import ALICE, BOB, READER, Trader, now_ms, sign

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = {
    ("POST", "order"): "order",
    ("PATCH", "order"): "amend",
    ("DELETE", "order"): "cancel",
    ("DELETE", "orders"): "cancelAll",
}
SAME_TEXTS = {
    name: case
    for name, case in SIGNED.items()
    if (case.method, case.path) in EVENTS and isinstance(case.body, dict) and case.who != READER
}
"""Refusals of REST whose body can be a stream's message."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with venue() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full() -> AsyncIterator[Running]:
    """Where alice may have one order, and has it: a bid of 7 lots at 1000, named `taken`."""
    bounds = limits(open_orders_per_account=1, requests_per_s=0)
    async with venue(configured(bounds)) as made, made.traders() as (alice, _):
        await alice.place("BUY", 7, 1000, clientOrderId="taken")
        yield made


# The same service as REST.


async def test_an_order_is_answered_as_rest_does(running: Running) -> None:
    async with logged_in(running) as stream, running.traders() as (alice, _):
        placed, seq = await stream.done("order", order(clientOrderId="over the stream"))
        assert placed["state"] == "NEW"
        assert seq == running.venue.projections.seq
        found, _ = await alice.done("GET", "order?clientOrderId=over%20the%20stream")
        assert placed == found
        other, _ = await alice.place("BUY", 5, 1000)
        assert list(other) == list(placed)


async def test_either_door_changes_what_the_other_placed(running: Running) -> None:
    async with logged_in(running) as stream, running.traders() as (alice, _):
        placed, _ = await stream.done("order", order(clientOrderId="by stream"))
        smaller, _ = await alice.done("PATCH", "order", {"clientOrderId": "by stream", "lots": 3})
        gone, _ = await stream.done("cancel", {"id": placed["id"]})
        assert (smaller["resd"], gone["state"]) == (3, "CANCELED")
        again, _ = await alice.place("BUY", 5, 1000, clientOrderId="by stream")
        assert again["id"] == placed["id"]
        other, _ = await alice.place("BUY", 9, 1000)
        smaller, _ = await stream.done("amend", {"id": other["id"], "quantity": "0.000004"})
        assert (smaller["resd"], smaller["quantity"]) == (4, "0.000004")
        assert (await alice.done("DELETE", f"order?id={other['id']}"))[0]["state"] == "CANCELED"


@pytest.mark.parametrize(
    "written",
    [
        {"symbol": "BTCUSDT", "type": "LIMIT", "lots": 1500, "ticks": 100},
        {"market": "BTCUSDT", "type": 0, "lots": "1500", "ticks": "100"},
        {"symbol": "BTCUSDT", "type": "LIMIT", "quantity": "0.0015", "price": "1.00"},
        {"symbol": "BTCUSDT", "type": "POST_ONLY", "lots": 1500, "price": "1"},
    ],
)
async def test_an_order_can_be_written_as_for_rest(
    running: Running, written: dict[str, object]
) -> None:
    async with logged_in(running) as stream:
        placed, _ = await stream.done("order", {"side": "BUY", **written})
        assert (placed["resd"], placed["price"]) == (1500, "1")
        await stream.done("cancel", {"id": placed["id"]})


async def test_cancel_all_cancels_all_or_one_symbols() -> None:
    async with venue() as fresh, logged_in(fresh) as stream:
        for symbol in ("BTCUSDT", "ETHUSDT", "BTCUSDT"):
            await stream.done("order", order(symbol=symbol))
        gone, _ = await stream.done("cancelAll", {"symbol": "BTCUSDT"})
        assert [each["symbol"] for each in gone] == ["BTCUSDT"] * 2
        gone, _ = await stream.done("cancelAll", {})
        assert [each["symbol"] for each in gone] == ["ETHUSDT"]
        assert (await stream.done("cancelAll", {}))[0] == []


@pytest.mark.parametrize("case", SAME_TEXTS.values(), ids=SAME_TEXTS)
async def test_what_rest_refuses_is_refused_in_the_same_words(full: Running, case: Case) -> None:
    event = EVENTS[case.method, case.path]
    async with logged_in(full, case.who) as stream, full.http() as http:
        answer = await Trader(http, case.who).call(case.method, case.path, case.body)
        told = await stream.refusal(event, case.body)
    assert told == (answer.json()["code"], answer.json()["message"])
    assert (told[0], case.says in told[1]) == (case.code, True)


async def test_orders_of_both_doors_have_one_rate() -> None:
    async with venue(configured(limits(orders_per_s=2))) as fresh, fresh.traders() as (alice, _):
        async with logged_in(fresh) as stream:
            wanted = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
            await asyncio.gather(*(alice.call("POST", "order", wanted) for _ in range(20)))
            ids = [await stream.send("order", order()) for _ in range(5)]
            told = [await stream.answer(each) for each in ids]
            refused = [each["message"] for each in told if each["event"] == "error"]
            assert len(refused) >= 3
            assert refused[0]["code"] == "RATE_LIMITED"
            assert refused[0]["reason"] == "more than 2 orders a second by alice"
            await stream.done("cancelAll", {})


async def test_answers_are_the_same_without_the_envelope(running: Running) -> None:
    async with logged_in(running, query="?envelope=none") as stream:
        placed, _ = await stream.done("order", order())
        await stream.done("cancel", {"id": placed["id"]})


# In order, and only what was asked for.


async def test_pipelined_orders_are_done_in_the_order_sent(running: Running) -> None:
    async with logged_in(running, BOB) as stream:
        ids = []
        for lots in range(1, 61):
            ids.append(await stream.send("order", order(lots, clientOrderId=f"pipelined {lots}")))
            if lots % 3 == 0:
                ids.append(
                    await stream.send("amend", {"clientOrderId": f"pipelined {lots}", "lots": 1})
                )
        ids.append(await stream.send("cancelAll", {}))
        told = [await stream.answer(each) for each in ids]
        assert {each["event"] for each in told} == {"ack"}
        seqs = [each["message"]["seq"] for each in told]
        assert seqs == sorted(seqs)
        placed = [each["message"]["data"] for each in told[:-1]]
        assert len({each["id"] for each in placed}) == 60
        assert len(told[-1]["message"]["data"]) == 60


async def test_a_batch_of_orders_in_one_frame_is_done_in_order(running: Running) -> None:
    batch: list[dict[str, Any]] = [
        {"event": "order", "message": order(lots, clientOrderId=f"batch {lots}"), "id": lots}
        for lots in range(1, 51)
    ]
    batch.append({"event": "cancelAll", "message": {}, "id": 0})
    async with logged_in(running, BOB) as stream:
        await stream.client.send(text(json.dumps(batch)))
        told = [await stream.client.json() for _ in batch]
        assert [each["id"] for each in told] == [*range(1, 51), 0]
        assert [each["resd"] for each in told[-1]["message"]["data"]] == [0] * 50


async def test_without_an_id_only_refusals_are_told(running: Running) -> None:
    async with logged_in(running) as stream:
        await stream.client.send(request("order", order(clientOrderId="silent")))
        await stream.client.send(request("order", order(lots=0)))
        told = await stream.client.json()
        assert (told["event"], told["message"]["code"]) == ("error", "BAD_ORDER")
        assert "id" not in told
        assert told["message"]["request"]["message"]["lots"] == 0
        await stream.done("cancel", {"clientOrderId": "silent"})


async def test_orders_need_a_login_and_a_key_that_trades(running: Running) -> None:
    async with await running.raw() as client:
        stream = StreamTrader(client)
        assert (await stream.refusal("order", order()))[0] == "UNAUTHORIZED"
        assert (await stream.refusal("login", login(READER)))[0] == "FORBIDDEN"
        forged = {**login(), "sign": sign(BOB, b"else")}
        assert (await stream.refusal("login", forged))[0] == "UNAUTHORIZED"
        late = signature(ALICE, "login", now_ms() - 30_000)
        code, reason = await stream.refusal("login", late)
        assert (code, "more than 5000 ms off" in reason) == ("UNAUTHORIZED", True)
        assert (await stream.refusal("order", order()))[0] == "UNAUTHORIZED"
        late = signature(ALICE, "login", now_ms() - 30_000)
        data, _ = await stream.done("login", {**late, "recvWindow": 60_000})
        assert data == {
            "account": "alice",
            "permissions": ["read", "trade"],
            "cancelOnDisconnect": False,
        }


# Durable first.


async def test_an_order_is_not_answered_before_it_is_durable() -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as fresh, logged_in(fresh) as stream:
        journal.hold()
        asked = await stream.send("order", order())
        await journal.appending.wait()
        await stream.client.send(request("ping", {}, 99))
        assert (await stream.client.json())["event"] == "pong"
        assert not [each for each in await events_of(journal) if isinstance(each, OrderPlaced)]
        journal.released.set()
        assert (await stream.answer(asked))["event"] == "ack"
        assert [each for each in await events_of(journal) if isinstance(each, OrderPlaced)]


async def test_the_signature_of_a_login_is_journaled_before_its_first_order() -> None:
    journal = MemoryJournal()
    async with venue(journal=journal) as fresh, logged_in(fresh) as stream:
        await stream.done("order", order())
    events = await events_of(journal)
    kinds = [type(each) for each in events if isinstance(each, SignatureUsed | OrderPlaced)]
    assert kinds == [SignatureUsed, OrderPlaced]


async def test_who_left_before_the_answer_is_told_nothing_and_the_order_stands() -> None:
    journal = HeldJournal()
    async with venue(journal=journal) as fresh, fresh.traders() as (alice, _):
        async with logged_in(fresh) as stream:
            journal.hold()
            await stream.send("order", order(clientOrderId="orphan"))
            await journal.appending.wait()
            [connection] = fresh.connections
            assert connection.is_owed
            await stream.client.send(frame(CLOSE, b"\x03\xe8"))
            opcode, payload = await stream.client.opcode_and_payload()
            assert (opcode, payload[:2]) == (CLOSE, b"\x03\xe8")
            assert await stream.client.ended() == b""
        journal.released.set()
        found, _ = await alice.done("GET", "order?clientOrderId=orphan")
        assert found["state"] == "NEW"
        assert not connection.is_owed
        assert not fresh.connections


# What stands before a goodbye is done.


@pytest.mark.parametrize(
    "goodbye",
    [
        frame(CLOSE, b"\x03\xe8"),
        frame(CLOSE),
        frame(BINARY, b"x"),
        frame(CLOSE, masked=False),
        frame(3),
        text("[" * 70_000),
    ],
    ids=["close", "close without a code", "binary", "unmasked", "unknown opcode", "too large"],
)
async def test_orders_before_a_goodbye_in_the_same_bytes_are_done(goodbye: bytes) -> None:
    async with venue() as fresh, fresh.traders() as (alice, _):
        async with logged_in(fresh) as stream:
            orders = b"".join(request("order", order(lots)) for lots in (1, 2, 3))
            await stream.client.send(orders + goodbye + request("order", order(4)))
            await stream.client.closed_with()
        data, _ = await alice.done("GET", "openorders")
        assert [each["resd"] for each in data] == [1, 2, 3]


async def test_orders_before_a_cut_are_done() -> None:
    async with venue() as fresh, fresh.traders() as (alice, _):
        async with logged_in(fresh) as stream:
            await stream.client.send(request("order", order(1)) + request("order", order(2)))
            stream.client._writer.write_eof()
            await stream.client.ended()
        data, _ = await alice.done("GET", "openorders")
        assert [each["resd"] for each in data] == [1, 2]
