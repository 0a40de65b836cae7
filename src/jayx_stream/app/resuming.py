"""Readers that were away: each is told every change since, then handed over to what happens now.

Rule: nothing is told twice or left out. The last changes come from memory, and in the same step of the
event loop the reader joins its stream; older ones are read from history before, a page at a time and
no faster than the reader takes them.
"""

import asyncio
from collections.abc import Callable, Sequence

from jayx_stream.history import History, HistoryError
from jayx_stream.hub.catch_up import CatchUp
from jayx_stream.hub.hub import Hub
from jayx_stream.model.past import AccountChange
from jayx_stream.projections import RecentChanges
from jayx_stream.wire.channels import Channel, OpenOrdersChannel, PositionsChannel
from jayx_stream.wire.push import Push

PAGE_CHANGES = 200
"""Told in one step of the event loop, so that others are served between."""

BEHIND_S = 0.01
"""Between two looks at a reader that is behind."""


class Resuming:
    """Brings readers up; see `hub.Source.catch_up`."""

    def __init__(
        self,
        hub: Hub,
        recent: RecentChanges,
        history: History,
        push: Callable[[Channel, AccountChange], Push | None],
    ) -> None:
        """`push` makes of a change what a channel's readers are told of it, if it concerns them."""
        self._hub = hub
        self._recent = recent
        self._history = history
        self._push = push
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, reader: CatchUp, present_seq: int) -> None:
        """Bring a reader up, at once if memory goes back far enough."""
        if reader.seq > present_seq:
            self._hub.start_over(reader)
        elif not self._hand_over(reader):
            task = asyncio.create_task(self._bring_up(reader))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _bring_up(self, reader: CatchUp) -> None:
        while not reader.is_over:
            if reader.outbox.is_behind:
                await asyncio.sleep(BEHIND_S)
                continue
            if self._hand_over(reader):
                return
            read_to_seq = self._history.last_seq
            changes = self._recent.after(_account(reader), reader.seq, PAGE_CHANGES)
            if changes is None:
                changes = await self._from_history(reader)
            if reader.is_over:
                return
            if changes is None:
                self._hub.start_over(reader)
                return
            await self._tell(reader, changes)
            if len(changes) < PAGE_CHANGES and not reader.is_over:
                reader.seq = max(reader.seq, read_to_seq)
            await asyncio.sleep(0)

    def _hand_over(self, reader: CatchUp) -> bool:
        """If it is little and in memory: tell the reader all that is left and have it join."""
        changes = self._recent.after(_account(reader), reader.seq, PAGE_CHANGES + 1)
        if changes is None or len(changes) > PAGE_CHANGES:
            return False
        for change in changes:
            if reader.is_over:
                return True
            reader.tell(self._push(reader.channel, change), change.seq)
        if not reader.is_over:
            self._hub.join(reader)
        return True

    async def _from_history(self, reader: CatchUp) -> list[AccountChange] | None:
        try:
            return await self._history.changes(_account(reader), reader.seq, PAGE_CHANGES)
        except HistoryError:
            return None

    async def _tell(self, reader: CatchUp, changes: Sequence[AccountChange]) -> None:
        for change in changes:
            while reader.outbox.is_behind and not reader.is_over:
                await asyncio.sleep(BEHIND_S)
            if reader.is_over:
                return
            reader.tell(self._push(reader.channel, change), change.seq)


def _account(reader: CatchUp) -> str:
    assert isinstance(reader.channel, OpenOrdersChannel | PositionsChannel), (
        "only they have changes"
    )
    return reader.channel.account
