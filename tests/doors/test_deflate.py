"""Compressed pushes: with whom they are agreed on, what is compressed, and that it is done once for all
(protocol §2).
"""

import gc
import json
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from jayx_stream.wire.push import DEFLATED_BYTES_MIN
from tests.doors.deflating import (
    AGREED,
    BOOK,
    OFFER,
    deflated_frame,
    furnish,
    is_deflated,
    json_of,
    offering,
    text_of,
)
from tests.doors.raw import UPGRADE, RawClient, connect, head, http_head, request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.stream_trader import login, order
from tests.doors.test_slow_readers import place, shrink_send_buffer
from tests.doors.trader import ALICE

POSITIONS = {"category": "spot", "apiKey": ALICE.key}
CONNECTIONS = 20


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue(configured(deflate=True)) as served:
        yield served


async def answer_to(running: Running, offer: str | None) -> bytes:
    """The head that answers an upgrade with this offer."""
    headers = {**UPGRADE, "Host": "x"}
    if offer is not None:
        headers["Sec-WebSocket-Extensions"] = offer
    async with await connect(running.port) as client:
        return await http_head(client, head("/", headers))


async def read_book(client: RawClient, **more: object) -> bytes:
    """Subscribe, and give the first push's frame."""
    await client.send(request("orderbook", {**BOOK, **more}))
    return await client.frame()


# Agreeing.


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        ("permessage-deflate", AGREED),
        (OFFER, AGREED),
        ("permessage-deflate; client_max_window_bits=10", f"{AGREED}; client_max_window_bits=10"),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            AGREED,
        ),
        ("permessage-deflate; server_max_window_bits=12", f"{AGREED}; server_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=9", f"{AGREED}; server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; level=9", None),
        ("permessage-deflate, permessage-deflate", AGREED),
        ("x-webkit-deflate-frame", None),
        ("permessage-bzip2, permessage-deflate", AGREED),
        (None, None),
    ],
)
async def test_an_offer_is_taken_without_context(
    running: Running, offer: str | None, agreed: str | None
) -> None:
    answer = await answer_to(running, offer)
    assert answer.startswith(b"HTTP/1.1 101 ")
    lines = [line for line in answer.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Extensions")]
    assert lines == ([] if agreed is None else [f"Sec-WebSocket-Extensions: {agreed}".encode()])


@pytest.mark.parametrize(("bits", "compressed"), [(11, False), (12, True)])
async def test_who_has_too_small_a_window_has_plain_frames(
    running: Running, bits: int, compressed: bool
) -> None:
    await furnish(running)
    async with await running.raw(offer=f"{OFFER}; server_max_window_bits={bits}") as client:
        assert is_deflated(await read_book(client)) == compressed
        await client.send(deflated_frame(b'{"event":"ping"}'))
        assert json_of(await client.frame())["event"] == "pong"


async def test_an_offer_that_is_none_is_refused(running: Running) -> None:
    assert (await answer_to(running, "permessage-deflate; =")).startswith(b"HTTP/1.1 400 ")


async def test_nothing_is_agreed_on_unless_it_is_configured() -> None:
    async with venue() as plain:
        assert b"Sec-WebSocket-Extensions" not in await answer_to(plain, OFFER)
        await furnish(plain)
        async with await offering(plain) as client:
            assert not is_deflated(await read_book(client))


# What is compressed.


async def test_two_readers_get_the_very_same_compressed_frame(running: Running) -> None:
    await furnish(running)
    async with await offering(running) as one, await offering(running) as other:
        async with await running.raw() as plain:
            for client in (one, other, plain):
                await read_book(client)
            [stream] = running.venue.hub.all_streams()
            assert stream.readers == 3
            await place(running, 1100)
            frame, same, text = [await each.frame() for each in (one, other, plain)]
    assert frame == same
    assert is_deflated(frame)
    assert not is_deflated(text)
    assert text_of(frame) == text_of(text)
    assert len(frame) < len(text) / 2


@pytest.mark.parametrize("query", ["", "?envelope=none"])
async def test_every_push_can_be_read_without_those_before(running: Running, query: str) -> None:
    await furnish(running)
    async with await offering(running, query) as client, await running.raw(query) as plain:
        await read_book(client)
        await read_book(plain)
        for ticks in range(1100, 1110):
            await place(running, ticks)
            frame = await client.frame()
            assert is_deflated(frame)
            assert text_of(frame) == text_of(await plain.frame())


async def test_changes_of_a_book_are_compressed_if_they_are_large(running: Running) -> None:
    async with await offering(running) as client, await offering(running) as trader:
        await trader.send(request("login", login()))
        await read_book(client, mode="delta")
        await place(running, 100)
        assert not is_deflated(await client.frame())
        many = [request("order", order(ticks=ticks)) for ticks in range(200, 215)]
        await trader.send(b"".join(many))
        pushes = [await client.frame()]
        while json_of(pushes[-1])["seq"] < running.venue.projections.seq:
            pushes.append(await client.frame())
        for push in pushes:
            assert is_deflated(push) == (len(text_of(push)) >= DEFLATED_BYTES_MIN)
        assert any(map(is_deflated, pushes))


async def test_what_is_small_is_plain(running: Running) -> None:
    async with await offering(running) as client:
        frame = await read_book(client)
        assert not is_deflated(frame)
        assert len(text_of(frame)) < DEFLATED_BYTES_MIN
        await client.send(request("kline", {**BOOK, "interval": "60"}))
        assert not is_deflated(await client.frame())


async def test_what_is_an_accounts_own_is_plain_however_large(running: Running) -> None:
    await furnish(running)
    async with await offering(running) as client:
        for event in ("openorders", "positions"):
            await client.send(request(event, POSITIONS, 1))
            frames = [await client.frame(), await client.frame()]
            assert not any(map(is_deflated, frames))
        await place(running, 1100)
        told = [await client.frame(), await client.frame()]
        assert {json_of(each)["event"] for each in told} == {"positions", "openorders"}
        assert not any(map(is_deflated, told))
        await client.send(request("openorders", POSITIONS))
        all_orders = await client.frame()
        assert len(all_orders) > 2 * DEFLATED_BYTES_MIN
        assert not is_deflated(all_orders)


async def test_answers_are_plain_however_large(running: Running) -> None:
    await furnish(running)
    async with await offering(running) as client:
        await client.send(request("login", login(), 1))
        assert not is_deflated(await client.frame())
        await client.send(request("cancelAll", {}, 2))
        answer = await client.frame()
        assert len(json_of(answer)["message"]["data"]) == 12
        assert not is_deflated(answer)
        await client.send(request("kline", {**BOOK, "symbol": "X" * 1000}, 3))
        refused = await client.frame()
        assert json_of(refused)["event"] == "error"
        assert not is_deflated(refused)


async def test_a_push_that_stands_for_merged_ones_is_plain() -> None:
    bounds = limits(queue_bytes=5_000)
    async with venue(configured(bounds, deflate=True)) as running:
        await furnish(running)
        async with await offering(running, receive_buffer=4096) as slow:
            [connection] = running.connections
            shrink_send_buffer(connection)
            frame = await read_book(slow)
            assert is_deflated(frame)
            for ticks in range(1, 601):
                seq = await place(running, ticks)
            kinds = set()
            while json_of(frame)["seq"] < seq:
                frame = await slow.frame()
                kinds.add((is_deflated(frame), "merged" in json_of(frame)))
    assert kinds == {(True, False), (False, True)}


# What it costs.


async def test_a_connection_with_compression_keeps_no_compressor(running: Running) -> None:
    """Where context is taken over, each keeps some 270 KB."""
    await furnish(running)

    async def held_bytes(offer: str | None) -> int:
        """By so many connections, which have read and asked."""
        async with await running.raw(offer=offer) as first:
            await read_book(first)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            clients = [await running.raw(offer=offer) for _ in range(CONNECTIONS)]
            for client in clients:
                await read_book(client)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            for client in clients:
                await client.close()
            while len(running.connections) > 1:
                await first.send(request("ping", {}))
                await first.frame()
        return after - before

    tracemalloc.start()
    try:
        await held_bytes(None)
        plain, compressed = await held_bytes(None), await held_bytes(OFFER)
    finally:
        tracemalloc.stop()
    assert compressed - plain < 2000 * CONNECTIONS


async def test_what_is_counted_is_what_was_written(running: Running) -> None:
    await furnish(running)
    async with await offering(running) as client:
        frame = await read_book(client)
        counts = running.venue.hub.counts["orderbook"]
        assert (counts.pushes, counts.bytes) == (1, len(frame))
        assert json.loads(text_of(frame))["event"] == "orderbook"
