"""A client that says nothing is asked whether it is there, and cut if it doesn't answer (protocol §10)."""

import asyncio

from tests.doors.raw import PING, PONG, frame
from tests.doors.running import configured, limits, venue


async def test_a_silent_client_is_pinged_and_cut_without_a_pong() -> None:
    async with venue(configured(limits(ping_after_s=1, pong_within_s=1))) as running:
        async with await running.raw() as deaf, await running.raw() as answering:
            async with running.connect() as library:
                assert await deaf.opcode_and_payload() == (PING, b"")
                for _ in range(2):
                    opcode, payload = await answering.opcode_and_payload()
                    assert opcode == PING
                    await answering.send(frame(PONG, payload))
                assert await deaf.ended() == b""
                assert len(running.connections) == 2
                async with asyncio.timeout(10):
                    await (await library.ping())


async def test_without_a_bound_a_silent_client_is_left_alone() -> None:
    async with venue(configured(limits(ping_after_s=0, pong_within_s=1))) as running:
        async with running.connect() as client:
            await client.ping()
            assert running.connections[0]._timer is None


async def test_without_a_bound_on_the_pong_a_silent_client_is_pinged_and_stays() -> None:
    async with venue(configured(limits(ping_after_s=1, pong_within_s=0))) as running:
        async with await running.raw() as deaf:
            for _ in range(2):
                assert await deaf.opcode_and_payload() == (PING, b"")
            assert running.connections
