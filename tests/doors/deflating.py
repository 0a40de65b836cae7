"""Clients that take compressed frames, and see which are (RFC 7692)."""

import json
import zlib
from typing import Any

from tests.doors.raw import TEXT, RawClient, frame
from tests.doors.running import Running

OFFER = "permessage-deflate; client_max_window_bits"
"""As browsers make it."""
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TAIL = b"\x00\x00\xff\xff"
FIRST_BYTE, FIRST_BYTE_DEFLATED = 0x81, 0xC1
"""Of a text in one frame; the second with the bit RSV1."""
RSV1 = 4
BOOK = {"category": "spot", "symbol": "BTCUSDT"}


async def offering(
    running: Running, query: str = "", *, receive_buffer: int | None = None
) -> RawClient:
    """A client that offers compression as browsers do."""
    return await running.raw(query, receive_buffer=receive_buffer, offer=OFFER)


def is_deflated(whole: bytes) -> bool:
    """Whether a frame is compressed; it is a text in one frame, or a goodbye."""
    assert whole[0] in (FIRST_BYTE, FIRST_BYTE_DEFLATED), whole
    return whole[0] == FIRST_BYTE_DEFLATED


def text_of(whole: bytes) -> bytes:
    """What a frame says, with nothing remembered of those before."""
    payload = whole[{126: 4, 127: 10}.get(whole[1], 2) :]
    if not is_deflated(whole):
        return payload
    return zlib.decompressobj(-15).decompress(payload + TAIL)


def json_of(whole: bytes) -> Any:
    return json.loads(text_of(whole))


def deflated(text: bytes) -> bytes:
    """The payload of a compressed message of a client."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def deflated_frame(text: bytes) -> bytes:
    """A compressed message in one frame."""
    return frame(TEXT, deflated(text), reserved=RSV1)


async def furnish(running: Running) -> int:
    """Bids of alice at twelve prices, a book of more than 300 bytes; gives its seq."""
    async with running.traders() as (alice, _):
        for ticks in range(1000, 1012):
            _, seq = await alice.place("BUY", 10, ticks)
        return seq
