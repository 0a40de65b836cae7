"""A reader that can be made slow, and a source that counts how often it is asked."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from msgspec import json

from jayx_stream.hub.catch_up import CatchUp
from jayx_stream.hub.outbox import Outbox
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.push import Encoding, Push


class Lines(Encoding):
    """A frame is a line; none of those here holds another line's end."""

    separator = b"\n"


ENVELOPED = Lines(bytes, envelope=True)


def write_many(descriptors: list[int], frames: list[bytes]) -> list[tuple[int, int]]:
    """None of those here has a descriptor, but for those that a test gives one."""
    assert not descriptors
    return []


def at_once() -> Turn:
    """A turn that ends as soon as anything is due."""
    turn = Turn(lambda: turn.drain(1), write_many)
    return turn


class Reader:
    """Takes frames while it has room; without, it is behind. It begins with room for all."""

    def __init__(
        self, *, queue_bytes: int = 0, queue_bytes_max: int = 0, turn: Turn | None = None
    ) -> None:
        self.frames: list[bytes] = []
        self.writes: list[int] = []
        """Frames of each write."""
        self.given_up = 0
        self.when_given_up: Callable[[], None] = lambda: None
        """What its door does then."""
        self._room: int | None = None
        self.outbox = Outbox(
            self._write,
            self._give_up,
            ENVELOPED,
            turn or at_once(),
            queue_bytes=queue_bytes,
            queue_bytes_max=queue_bytes_max,
        )

    def stop(self) -> None:
        """Fall behind: take nothing more."""
        self._room = 0
        self.outbox.pause()

    def read(self, frames: int | None = None) -> None:
        """Take so many frames, or all from now on."""
        self._room = frames
        self.outbox.resume()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was read."""
        return [json.decode(frame) for frame in self.frames]

    def _give_up(self) -> None:
        self.given_up += 1
        self.when_given_up()

    def _write(self, written: bytes) -> None:
        frames = written.split(b"\n")
        self.frames += frames
        self.writes.append(len(frames))
        if self._room is not None:
            self._room -= len(frames)
            if self._room <= 0:
                self.outbox.pause()


class CountingSource:
    """Every push of a channel is a state of it, one seq later than the push before."""

    def __init__(self) -> None:
        self.seq = 0
        self.asked: list[Channel] = []
        self.resumed: list[CatchUp] = []

    def present(self, channel: Channel, *, reset: bool = False) -> Push:
        self.asked.append(channel)
        return self._push(channel, channel, reset=reset)

    def catch_up(self, reader: CatchUp) -> None:
        self.resumed.append(reader)

    def history(self, channel: Channel, limit: int) -> Sequence[Push]:
        return [self._push(channel, None) for _ in range(limit)]

    def _push(self, channel: Channel, merge_key: Hashable | None, *, reset: bool = False) -> Push:
        self.seq += 1
        name = channel.name
        return Push(channel.event, name, self.seq, 0, b"{}", merge_key=merge_key, reset=reset)
