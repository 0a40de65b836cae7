"""What a connection makes of frames that come in one piece, or in between others (RFC 6455)."""

import json
from collections.abc import AsyncIterator

import pytest
from websockets.frames import Frame, Opcode

from jayx_stream.doors.deflate import text_frame
from tests.doors.raw import CLOSE, CONT, PING, PONG, TEXT, frame, request
from tests.doors.running import Running, venue


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with venue() as served:
        yield served


async def test_what_came_before_a_breach_in_the_same_bytes_is_answered(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(request("ping", {}, 1) + frame(TEXT, b"{}", reserved=2))
        assert (await client.json())["id"] == 1
        assert await client.closed_with() == 1002


async def test_what_came_before_a_goodbye_in_the_same_bytes_is_answered(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(request("ping", {}, 1) + frame(CLOSE, b"\x03\xe8"))
        assert (await client.json())["id"] == 1
        assert await client.closed_with() == 1000


async def test_what_comes_after_a_breach_is_not_answered(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(TEXT, b"\xff") + request("ping", {}, 1))
        opcode, payload = await client.opcode_and_payload()
        assert (opcode, payload[:2]) == (CLOSE, (1007).to_bytes(2, "big"))


async def test_a_ping_between_fragments_is_answered_at_once(running: Running) -> None:
    begin, end = (b'{"event":"ping",', b'"id":1}')
    async with await running.raw() as client:
        await client.send(frame(TEXT, begin, fin=False) + frame(PING, b"x") + frame(CONT, end))
        assert await client.opcode_and_payload() == (PONG, b"x")
        assert json.loads(await client.text())["id"] == 1


async def test_a_goodbye_between_fragments_is_answered_in_kind(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(TEXT, b"{", fin=False) + frame(CLOSE, b"\x03\xe8"))
        assert await client.closed_with() == 1000


async def test_a_first_fragment_that_is_not_utf8_closes_at_once(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(frame(TEXT, b'"\xff', fin=False))
        assert await client.closed_with() == 1007


async def test_a_character_may_be_split_between_fragments(running: Running) -> None:
    text = '{"event":"ping","id":"ключ"}'.encode()
    async with await running.raw() as client:
        for byte in text[:-1]:
            await client.send(frame(TEXT if byte == text[0] else CONT, bytes([byte]), fin=False))
        await client.send(frame(CONT, text[-1:]))
        assert json.loads(await client.text())["id"] == "ключ"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_text_is_framed_as_the_library_does_it(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)
