"""Compressed requests: what is inflated has the bounds of what comes plain (protocol §2, §10)."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.doors.deflating import RSV1, TAIL, deflated, deflated_frame, offering
from tests.doors.raw import CLOSE, CONT, PING, PONG, TEXT, frame, request
from tests.doors.running import Running, configured, limits, venue

REQUEST_BYTES = 2000
FRAGMENTS = 5
BOMB_BYTES = 64_000_000


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    bounds = limits(request_bytes=REQUEST_BYTES, request_fragments=FRAGMENTS)
    async with venue(configured(bounds, deflate=True)) as served:
        yield served


def ping(id: object, size: int = 0) -> bytes:
    """A request, filled up with spaces to a size in bytes."""
    return json.dumps({"event": "ping", "id": id}, ensure_ascii=False).encode().ljust(size)


def fragments(payload: bytes, count: int) -> list[bytes]:
    """A compressed message in so many frames; only the first says that it is."""
    step = -(-len(payload) // count)
    parts = [payload[at * step : (at + 1) * step] for at in range(count)]
    return [
        frame(
            CONT if number else TEXT,
            part,
            fin=number == count - 1,
            reserved=0 if number else RSV1,
        )
        for number, part in enumerate(parts)
    ]


async def test_compressed_and_plain_requests_may_come_by_turns(running: Running) -> None:
    async with await offering(running) as client:
        for id in range(6):
            await client.send(deflated_frame(ping(id)) if id % 2 else request("ping", {}, id))
            assert (await client.json())["id"] == id


async def test_a_compressed_request_may_come_in_fragments(running: Running) -> None:
    async with await offering(running) as client:
        begin, *rest = fragments(deflated(ping("ключ €")), FRAGMENTS)
        await client.send(begin + frame(PING, b"x") + b"".join(rest))
        assert await client.opcode_and_payload() == (PONG, b"x")
        assert (await client.json())["id"] == "ключ €"


async def test_a_request_as_large_as_may_be_is_answered(running: Running) -> None:
    async with await offering(running) as client:
        await client.send(deflated_frame(ping(1, REQUEST_BYTES)))
        assert (await client.json())["id"] == 1
        await client.send(b"".join(fragments(deflated(ping(2, REQUEST_BYTES)), FRAGMENTS)))
        assert (await client.json())["id"] == 2


async def test_a_compressed_message_of_nothing_is_no_json(running: Running) -> None:
    async with await offering(running) as client:
        await client.send(frame(TEXT, b"\x00", reserved=RSV1))
        assert (await client.json())["message"]["code"] == "BAD_JSON"


def in_one_context(text: bytes, times: int) -> list[bytes]:
    """The payloads of the same message so many times, each after the first made of those before."""
    compressor = zlib.compressobj(wbits=-15)
    return [
        (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        for _ in range(times)
    ]


def bomb() -> bytes:
    return deflated(bytes(BOMB_BYTES))


WRONG: dict[str, tuple[Callable[[], bytes], int]] = {
    "one byte more than may be": (lambda: deflated_frame(ping(1, REQUEST_BYTES + 1)), 1009),
    "one byte more, in fragments": (
        lambda: b"".join(fragments(deflated(ping(1, REQUEST_BYTES + 1)), FRAGMENTS)),
        1009,
    ),
    "a small frame that becomes very large": (
        lambda: frame(TEXT, bomb()[:REQUEST_BYTES], reserved=RSV1),
        1009,
    ),
    "a frame that is too large even before": (lambda: frame(TEXT, bomb(), reserved=RSV1), 1009),
    "a bomb in fragments": (lambda: b"".join(fragments(bomb()[:REQUEST_BYTES], 4)), 1009),
    "a bomb that never ends": (
        lambda: frame(TEXT, bomb()[:REQUEST_BYTES], fin=False, reserved=RSV1),
        1009,
    ),
    "more fragments than may be": (
        lambda: b"".join(fragments(deflated(ping(1)), FRAGMENTS + 1)),
        1008,
    ),
    "empty fragments": (
        lambda: frame(TEXT, b"", fin=False, reserved=RSV1) + frame(CONT, fin=False) * FRAGMENTS,
        1008,
    ),
    "what is not UTF-8": (lambda: deflated_frame(b'{"event":"\xff"}'), 1007),
    "a character cut off": (lambda: deflated_frame('"€"'.encode()[:2]), 1007),
    "what nobody compressed": (lambda: frame(TEXT, b"\xff\xff\xff\xff", reserved=RSV1), 1002),
    "what refers to a message before": (
        lambda: b"".join(frame(TEXT, each, reserved=RSV1) for each in in_one_context(ping(1), 2)),
        1002,
    ),
    "compression that begins in the middle": (
        lambda: frame(TEXT, b"{", fin=False) + frame(CONT, deflated(b"}"), reserved=RSV1),
        1002,
    ),
    "compression said twice": (
        lambda: (
            frame(TEXT, deflated(b"{")[:1], fin=False, reserved=RSV1)
            + frame(CONT, deflated(b"{")[1:], reserved=RSV1)
        ),
        1002,
    ),
    "a compressed ping": (lambda: frame(PING, deflated(b"x"), reserved=RSV1), 1002),
    "a compressed goodbye": (lambda: frame(CLOSE, deflated(b"\x03\xe8"), reserved=RSV1), 1002),
    "another reserved bit": (lambda: frame(TEXT, deflated(ping(1)), reserved=RSV1 | 2), 1002),
}


@pytest.mark.parametrize(("made", "code"), WRONG.values(), ids=WRONG)
async def test_what_may_not_be_closes_its_connection_and_no_other(
    running: Running, made: Callable[[], bytes], code: int
) -> None:
    async with await offering(running) as client, await offering(running) as bystander:
        await client.send(made())
        assert await client.closed_with() == code
        await bystander.send(deflated_frame(ping(1)))
        assert (await bystander.json())["id"] == 1


async def test_what_was_not_agreed_on_is_a_breach(running: Running) -> None:
    async with await running.raw() as client:
        await client.send(deflated_frame(ping(1)))
        assert await client.closed_with() == 1002


async def test_compressed_requests_have_the_rate_of_all(running: Running) -> None:
    async with await offering(running) as client, await offering(running) as bystander:
        flood = deflated_frame(ping(1, REQUEST_BYTES)) * 1000
        sending = asyncio.create_task(client.send(flood))
        assert await client.closed_with() == 4029
        await sending
        await bystander.send(deflated_frame(ping(1)))
        assert (await bystander.json())["id"] == 1
