"""What drips in, what floods in, and what is never read: all of it ends (protocol §10)."""

import asyncio

import pytest
from websockets.server import ServerProtocol

from tests.doors.raw import (
    CONT,
    DEADLINE_S,
    PING,
    PONG,
    TEXT,
    connect,
    frame,
    head,
    http_head,
    request,
)
from tests.doors.running import configured, limits, venue
from tests.doors.test_rates import HOST, TIME, nobody_is_left

# What drips in, and what is never read.


async def test_blank_lines_do_not_hold_a_connection() -> None:
    async with venue(configured(limits(handshake_s=1))) as running:
        async with await connect(running.port) as client:
            await http_head(client, head(TIME, HOST))
            async with asyncio.timeout(DEADLINE_S):
                while running.seats:
                    await client.send(b"\r\n")
                    await asyncio.sleep(0.01)


async def test_a_body_that_nobody_wants_does_not_hold_a_connection() -> None:
    async with venue(configured(limits(handshake_s=1))) as running:
        async with await connect(running.port) as client:
            asked = head(TIME, {**HOST, "Content-Length": "1000000"})
            assert b" 200 " in await http_head(client, asked)
            async with asyncio.timeout(DEADLINE_S):
                while running.seats:
                    await client.send(b"x")
                    await asyncio.sleep(0.01)


async def test_what_follows_a_body_is_bounded() -> None:
    async with venue(configured()) as running, await connect(running.port) as client:
        await http_head(client, head(TIME, {**HOST, "Transfer-Encoding": "chunked"}))
        await client.send(b"0\r\n" + b"x: y\r\n" * 5000)
        await client.ended()
        await nobody_is_left(running)


async def test_many_requests_at_once_are_answered_in_order() -> None:
    async with venue(configured()) as running, await connect(running.port) as client:
        await client.send(head(TIME, HOST) * 50 + head("/health", {**HOST, "Connection": "close"}))
        answer = await client.ended()
        assert answer.count(b"HTTP/1.1 200 OK") == 51
        assert answer.endswith(b'{"status":"ok"}')


async def test_too_many_requests_at_once_end_the_connection() -> None:
    async with venue(configured()) as running, await connect(running.port) as client:
        await client.send(head(TIME, HOST) * 1000)
        assert (await client.ended()).count(b"HTTP/1.1 ") <= 102
        await nobody_is_left(running)


async def test_who_reads_nothing_of_an_answer_is_cut() -> None:
    async with venue(configured(limits(pong_within_s=1))) as running:
        async with await connect(running.port, receive_buffer=4096) as client:
            async with asyncio.timeout(DEADLINE_S):
                while running.seats:
                    asked = head("/api/v1/public/exchangeInfo", HOST) * 50
                    client._writer.write(asked)
                    await asyncio.sleep(0.01)


FLOODS = {
    "pings": frame(PING) * 10_000,
    "texts": frame(TEXT, b"x") * 10_000,
    "fragments": frame(TEXT, b"", fin=False) + frame(CONT, b"", fin=False) * 10_000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_little_of_a_flood_is_looked_at(
    flood: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0
    receive = ServerProtocol.receive_data

    def counted(protocol: ServerProtocol, data: bytes) -> None:
        nonlocal looked_at
        looked_at += len(data)
        receive(protocol, data)

    async with venue(configured()) as running:
        async with await running.raw() as client:
            monkeypatch.setattr(ServerProtocol, "receive_data", counted)
            await client.send(flood)
            await client.send(b"")
            code = await client.closed_with()
            assert code in (4029, 1008)
            assert looked_at < 32_000


# Pings.


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_a_flood_of_pings_is_closed_with_4029(opcode: int) -> None:
    async with venue(configured(limits(requests_per_s=1, requests_burst=20))) as running:
        async with await running.raw() as client:
            await client.send(frame(opcode) * 20)
            await client.send(request("ping", {}))
            while (await client.opcode_and_payload())[0] == PONG:
                pass
            await client.send(frame(opcode) * 3)
            assert await client.closed_with() == 4029


async def test_pings_are_answered_without_a_limit_at_0() -> None:
    async with venue(configured(limits(requests_per_s=0))) as running:
        async with await running.raw() as client:
            await client.send(frame(PING, b"x") * 1000)
            for _ in range(1000):
                assert await client.opcode_and_payload() == (PONG, b"x")
