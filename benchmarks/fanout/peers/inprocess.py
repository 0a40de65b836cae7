"""Ours without the order: a venue with its doors in this process, whose raw door takes one text more, "go".

With it, the kline that everyone reads is said to have changed. What follows is all real: the hub asks for
the present state, which is encoded, put into its envelope and framed, once; it becomes due to each reader,
and the turn writes. What is not in it: the order, the exchange and its journal. The gateway's clock is
changed: `ts` tells the moment of the go, in microseconds of the clock that does not go back. Its argument
is `busy_poll_ms`.
"""

import asyncio
import gc
import sys
from time import monotonic_ns, time_ns

import uvloop
from websockets.http11 import Request

from jayx_stream.app.config import Account, Config, InstrumentTerms, Server, Streams
from jayx_stream.app.serve import GC_THRESHOLDS
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.doors.raw import RawDoor, RawSpeaker
from jayx_stream.doors.speaking import Speaker, WebSocket
from jayx_stream.doors.streams import MAIN_PATH
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.wire.channels import KlineChannel
from jayx_stream.wire.limits import Limits

CONFIG = Config(
    server=Server(port=0, busy_poll_ms=int(sys.argv[1])),
    streams=Streams(kline_interval_ms=0),
    limits=Limits(connections_per_address=0, http_requests_per_s=0, ping_after_s=0),
    instruments=(
        InstrumentTerms(
            symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
        ),
    ),
    accounts=(
        Account("maker", {"BTC": "100", "USDT": "1000000"}),
        Account("taker", {"BTC": "100", "USDT": "1000000"}),
    ),
)


class GoSpeaker(RawSpeaker):
    """A client who may say "go"."""

    def receive_text(self, text: bytes) -> None:
        """See `Speaker`."""
        if text != b"go":
            super().receive_text(text)
            return
        venue = self._connection.venue
        assert isinstance(venue, EmbeddedVenue)
        began_us = monotonic_ns() // 1000
        venue._gateway._clock = lambda: began_us * NS_PER_MS
        venue.hub.touch((KlineChannel.event, "BTCUSDT"))
        pace = venue._gateway.pace
        pace.flush()
        pace.told(time_ns())
        venue.busy_poll.stir()


class GoDoor(RawDoor):
    """Whose clients may."""

    def welcome(self, connection: WebSocket, request: Request) -> Speaker:
        """See `speaking.Door`."""
        return GoSpeaker(self.visitors, connection, request)


async def main() -> None:
    """Serve until killed, with one trade made: the kline has all its numbers."""
    venue = EmbeddedVenue(CONFIG, MemoryJournal(), time_ns)
    await venue.recover()
    venue._door.paths[MAIN_PATH] = GoDoor()
    port = await venue.start()
    for account, side in (("maker", Side.SELL), ("taker", Side.BUY)):
        order = PlaceOrder(
            account=account,
            symbol="BTCUSDT",
            side=side,
            type=OrderType.LIMIT,
            lots=1_004_817,
            limit_ticks=6_684_363,
        )
        await venue.submit(order)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
