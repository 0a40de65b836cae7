"""A reader that does not read costs bounded memory, and slows nobody (protocol §10)."""

import contextlib
import json
import socket
from collections.abc import AsyncIterator

from jayx_stream.doors.websocket import WebSocketConnection
from jayx_stream.model.commands import CancelOrder, PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.wire.channels import ACCOUNT
from tests.doors.raw import CLOSE, PING, TEXT, RawClient, frame, request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.trader import ALICE

ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT"}
OPENORDERS = {"category": "spot", "apiKey": ALICE.key}
FRAME_BYTES_MAX = 10_000
"""More than any one push of these tests has."""


async def place(running: Running, ticks: int) -> int:
    """Place a bid of alice, and give its seq."""
    answer = await running.venue.submit(
        PlaceOrder(
            account="alice",
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            lots=1,
            limit_ticks=ticks,
            client_order_id=str(ticks),
        )
    )
    assert not isinstance(answer, Refused)
    return answer.seq


async def cancel(running: Running, ticks: int) -> int:
    answer = await running.venue.submit(CancelOrder(account="alice", client_order_id=str(ticks)))
    assert not isinstance(answer, Refused)
    return answer.seq


@contextlib.asynccontextmanager
async def slow_reader(
    running: Running, event: str, message: dict[str, str]
) -> AsyncIterator[tuple[RawClient, WebSocketConnection]]:
    """A client that subscribed and then stopped reading, and the server's side of it."""
    async with await running.raw(receive_buffer=4096) as client:
        [connection] = running.connections
        shrink_send_buffer(connection)
        await client.send(request(event, message))
        await client.text()
        yield client, connection


def shrink_send_buffer(connection: WebSocketConnection) -> None:
    """The kernel would take megabytes from the server before anything waits there."""
    sock = connection._transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


async def test_a_slow_reader_is_given_the_newest_state_and_slows_nobody() -> None:
    bounds = limits(queue_bytes=20_000)
    async with venue(configured(bounds)) as running:
        async with slow_reader(running, "orderbook", ORDERBOOK) as (slow, connection):
            async with running.connect() as client:
                await client.send(json.dumps({"event": "orderbook", "message": ORDERBOOK}))
                await client.recv()
                seq = 0
                for ticks in range(1, 601):
                    seq = await place(running, ticks)
                    assert json.loads(await client.recv())["seq"] == seq
                    assert connection.waiting_bytes <= 20_000 + FRAME_BYTES_MAX
            newest, merged, seqs = await slow.json(), 0, [0]
            while newest["seq"] < seq:
                newest = await slow.json()
                seqs.append(newest["seq"])
                merged = max(merged, newest.get("merged", 0))
            assert merged > 0
            assert seqs == sorted(seqs)
            bids = newest["message"]["orderBook"]["bids"]
            assert [level["ticks"] for level in bids] == list(range(600, 550, -1))
            seq = await place(running, 601)
            last = await slow.json()
            assert last["seq"] == seq
            assert "merged" not in last


async def test_what_may_not_be_merged_closes_a_slow_reader_with_4008() -> None:
    bound = 30_000
    bounds = limits(queue_bytes=10_000, queue_bytes_max=bound)
    async with venue(configured(bounds)) as running:
        async with slow_reader(running, "openorders", OPENORDERS) as (slow, connection):
            placed = 0
            while running.venue.hub.streams((ACCOUNT, "alice")):
                placed += 1
                assert placed < 10_000, "a reader that does not read is never closed"
                await place(running, placed)
                await cancel(running, placed)
                assert connection.waiting_bytes <= bound
            assert connection.waiting_bytes == 0
            seqs = []
            opcode, payload = await slow.opcode_and_payload()
            while opcode == TEXT:
                seqs.append(json.loads(payload)["seq"])
                opcode, payload = await slow.opcode_and_payload()
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "a change was left out"
            assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, 4008)


async def test_a_client_that_pings_and_never_reads_is_cut() -> None:
    bound = 30_000
    async with venue(configured(limits(queue_bytes_max=bound, requests_per_s=0))) as running:
        async with await running.raw(receive_buffer=4096) as client:
            [connection] = running.connections
            shrink_send_buffer(connection)
            pings = frame(PING, bytes(125)) * 100
            sent = 0
            while running.connections:
                sent += 1
                assert sent < 1000, "pongs wait without a bound"
                await client.send(pings)
