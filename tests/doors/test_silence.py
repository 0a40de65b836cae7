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


async def test_a_bound_of_0_lets_a_silent_client_stay() -> None:
    no_ping = limits(ping_after_s=0, pong_within_s=1)
    no_pong = limits(ping_after_s=1, pong_within_s=0)
    async with venue(configured(no_ping)) as unasked, venue(configured(no_pong)) as asked:
        async with await unasked.raw(), await asked.raw() as deaf:
            for _ in range(2):
                assert await deaf.opcode_and_payload() == (PING, b"")
            assert asked.connections
            assert unasked.connections
