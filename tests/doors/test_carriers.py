"""What carries a polled session, asked before and after there is something to answer."""

import asyncio

from jayx_stream.doors.carriers import PollingCarrier
from jayx_stream.doors.counts import Side
from jayx_stream.wire.limits import Limits


class Session:
    """Has nothing that waits."""

    def pause(self) -> None:
        """Nobody asks."""

    def resume(self) -> None:
        """Somebody asks."""

    def gone(self, code: int, by: Side) -> None:
        """It is over."""


async def test_what_is_written_while_nobody_asks_is_the_next_answer() -> None:
    session = Session()
    carrier = PollingCarrier(session, Limits())
    carrier.write(b"4first")
    async with asyncio.timeout(5):
        assert await carrier.ask() == b"4first"
        carrier.answered()
        asked = asyncio.create_task(carrier.ask())
        await asyncio.sleep(0)
        carrier.write(b"4second")
        assert await asked == b"4second"
