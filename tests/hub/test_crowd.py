"""A push goes through a large crowd at once, and to each reader it is as if it were due to him alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from jayx_stream.hub.crowd import LARGE, Crowd
from jayx_stream.hub.outbox import DUE_BYTES_MAX, Outbox
from jayx_stream.hub.turn import Turn
from jayx_stream.wire.push import Encoding, Push

READERS = LARGE + 8
ENCODING = Encoding(lambda body: body + b"\n", envelope=True)
OTHER = Encoding(lambda body: body + b"\r\n", envelope=True)
MOST = 10
"""Readers of a slice."""


class Socket:
    """Takes all that it is written, or so many bytes and then nothing until it is read; its transport keeps
    the rest, and says so.
    """

    def __init__(self, descriptor: int, turn: Turn, encoding: Encoding = ENCODING) -> None:
        self.got = b""
        self.writes = 0
        self.descriptor = descriptor
        self.outbox = Outbox(
            self.write, self.outrun, encoding, turn, queue_bytes=0, queue_bytes_max=0
        )
        self.outbox.reach(descriptor)
        self._room: int | None = None
        self._kept = b""

    def outrun(self) -> None:
        raise AssertionError("there are no bounds here")

    def write(self, data: bytes) -> None:
        """By the transport."""
        self.writes += 1
        self._kept += data
        self._flush()

    def take(self, data: bytes) -> int:
        """Past the transport. Gives how many bytes were taken."""
        assert not self._kept, "the transport has been overtaken"
        self.writes += 1
        taken = data if self._room is None else data[: self._room]
        self.got += taken
        if self._room is not None:
            self._room -= len(taken)
        return len(taken)

    def fill(self, room: int) -> None:
        """Take only so many bytes more."""
        self._room = room

    def read(self) -> None:
        """Take all again."""
        self._room = None
        self._flush()
        self.outbox.resume()

    def _flush(self) -> None:
        taken = len(self._kept) if self._room is None else min(self._room, len(self._kept))
        self.got += self._kept[:taken]
        self._kept = self._kept[taken:]
        if self._room is not None:
            self._room -= taken
        if self._kept and not self.outbox.is_paused:
            self.outbox.pause()


class Sockets:
    """Very many readers, and crowds of them."""

    def __init__(self, crowds: int = 1) -> None:
        self.turn = Turn(lambda: None, self._write_many)
        self.all = [Socket(descriptor, self.turn) for descriptor in range(READERS)]
        self.crowds = [Crowd(ENCODING, self.turn) for _ in range(crowds)]
        self.expected: list[bytes] = [b""] * READERS
        self.direct = 0
        """Writes past transports."""
        self.written: list[int] = []
        """Bytes of each of those."""
        self._count = 0

    def _write_many(self, descriptors: list[int], frames: list[bytes]) -> list[tuple[int, int]]:
        self.direct += len(descriptors)
        self.written += map(len, frames)
        taken = [self.all[at].take(frame) for at, frame in zip(descriptors, frames, strict=True)]
        return [(k, taken[k]) for k in range(len(taken)) if taken[k] < len(frames[k])]

    def push(self) -> tuple[bytes, Push]:
        """A new one, and its frame."""
        self._count += 1
        push = Push("openorders", "orders", self._count, 0, b"1")
        return push.frame(ENCODING), push

    def spread(self, crowd: Crowd) -> None:
        """A push for all of a crowd."""
        frame, push = self.push()
        for outbox in crowd.outboxes:
            self.expected[outbox.descriptor] += frame
        crowd.spread(frame, push)

    def bring(self, at: int) -> None:
        """A push for one reader."""
        frame, push = self.push()
        self.expected[at] += frame
        self.all[at].outbox.bring(frame, push)

    def reply(self, at: int) -> None:
        """An answer for one reader."""
        frame, _ = self.push()
        self.expected[at] += frame
        self.all[at].outbox.reply(frame)

    def step(self, kind: str, first: int, second: int) -> None:
        """Do one thing."""
        socket, crowd = self.all[first], self.crowds[second]
        match kind:
            case "spread":
                self.spread(self.crowds[first])
            case "drain":
                self.turn.drain(first)
            case "bring":
                self.bring(first)
            case "reply":
                self.reply(first)
            case "drain one":
                socket.outbox.drain()
            case "read":
                socket.read()
            case "fill":
                socket.fill(100 * second)
            case "join":
                crowd.take_in(socket.outbox)
            case _:
                if socket.outbox in crowd.outboxes:
                    crowd.let_go(socket.outbox)

    def finish(self) -> None:
        """Until nothing is due."""
        while self.turn.ended < self.turn.begun:
            self.turn.drain(MOST)
        self.turn.drain(MOST)

    @property
    def got(self) -> list[bytes]:
        """By each reader."""
        return [socket.got for socket in self.all]


def a_crowd_of_all() -> tuple[Sockets, Crowd]:
    sockets = Sockets()
    (crowd,) = sockets.crowds
    for socket in sockets.all:
        crowd.take_in(socket.outbox)
    return sockets, crowd


def test_a_push_goes_through_a_crowd_in_slices() -> None:
    sockets, crowd = a_crowd_of_all()
    sockets.spread(crowd)
    served = []
    while sockets.turn.ended < sockets.turn.begun:
        assert sockets.turn.begun == READERS
        sockets.turn.drain(MOST)
        served.append(sockets.direct)
    assert served == [*range(MOST, READERS, MOST), READERS]
    assert sockets.got == sockets.expected


def test_two_pushes_of_a_turn_are_one_write_to_each() -> None:
    sockets, crowd = a_crowd_of_all()
    sockets.spread(crowd)
    sockets.turn.drain(MOST)
    sockets.spread(crowd)
    sockets.finish()
    assert sockets.got == sockets.expected
    assert [socket.writes for socket in sockets.all] == [2] * MOST + [1] * (READERS - MOST)


def test_streams_that_the_same_readers_read_go_through_them_together() -> None:
    sockets = Sockets(2)
    for socket in sockets.all:
        for crowd in sockets.crowds:
            crowd.take_in(socket.outbox)
    slow = sockets.all[7]
    slow.fill(0)
    for _ in range(2):
        for crowd in sockets.crowds:
            sockets.spread(crowd)
        sockets.finish()
    assert sockets.direct == 2 * READERS - 1
    slow.read()
    assert sockets.got == sockets.expected


def test_streams_that_others_read_do_not_go_through_each_others_readers() -> None:
    sockets = Sockets(2)
    for number, crowd in enumerate(sockets.crowds):
        for socket in sockets.all[number : number + LARGE]:
            crowd.take_in(socket.outbox)
    for crowd in sockets.crowds:
        sockets.spread(crowd)
    sockets.finish()
    assert sockets.got == sockets.expected


def test_who_joins_both_of_two_streams_between_their_pushes_gets_the_second_only() -> None:
    sockets = Sockets(2)
    late = sockets.all.pop()
    for socket in sockets.all:
        for crowd in sockets.crowds:
            crowd.take_in(socket.outbox)
    sockets.all.append(late)
    sockets.spread(sockets.crowds[0])
    for crowd in sockets.crowds:
        crowd.take_in(late.outbox)
    sockets.spread(sockets.crowds[1])
    sockets.finish()
    assert sockets.got == sockets.expected
    assert late.got.count(b"\n") == 1


def test_what_is_joined_has_a_bound() -> None:
    sockets, crowd = a_crowd_of_all()
    for count in range(1, 12):
        push = Push("openorders", "orders", count, 0, b'"%s"' % (b"x" * (DUE_BYTES_MAX // 10)))
        crowd.spread(push.frame(ENCODING), push)
    sockets.finish()
    assert {socket.got.count(b"\n") for socket in sockets.all} == {11}
    assert max(sockets.written) <= DUE_BYTES_MAX + DUE_BYTES_MAX // 10 + 100


def test_the_readers_of_two_encodings_are_reached_by_one_push() -> None:
    sockets = Sockets()
    sockets.crowds.append(Crowd(OTHER, sockets.turn))
    for socket in sockets.all:
        sockets.crowds[0].take_in(socket.outbox)
    for descriptor in range(READERS, 2 * READERS):
        socket = Socket(descriptor, sockets.turn, OTHER)
        sockets.all.append(socket)
        sockets.crowds[1].take_in(socket.outbox)
    _, push = sockets.push()
    for crowd in sockets.crowds:
        crowd.spread(push.frame(crowd.encoding), push)
    assert (sockets.turn.begun, len(sockets.turn.waves)) == (2 * READERS, 2)
    sockets.finish()
    assert sockets.direct == 2 * READERS
    assert [socket.got for socket in sockets.all] == [
        push.frame(socket.outbox.encoding) for socket in sockets.all
    ]


def test_what_was_due_before_goes_ahead_and_an_answer_after_it_goes_behind() -> None:
    sockets, crowd = a_crowd_of_all()
    sockets.bring(3)
    sockets.reply(4)
    sockets.spread(crowd)
    sockets.turn.drain(MOST)
    sockets.reply(READERS - 1)
    sockets.bring(0)
    sockets.finish()
    assert sockets.got == sockets.expected


def test_who_is_behind_has_it_wait_and_delays_nobody() -> None:
    sockets, crowd = a_crowd_of_all()
    slow = sockets.all[5]
    slow.fill(3)
    sockets.spread(crowd)
    sockets.finish()
    assert slow.outbox.is_paused
    sockets.spread(crowd)
    sockets.finish()
    assert sockets.direct == 2 * READERS - 1
    assert (slow.got, slow.outbox.waiting_bytes) == (
        sockets.expected[5][:3],
        len(sockets.expected[5]) // 2,
    )
    slow.read()
    assert sockets.got == sockets.expected


def test_whoever_waits_for_all_who_are_due_a_push_sees_them_end() -> None:
    sockets, crowd = a_crowd_of_all()
    sockets.all[-1].outbox.pause()
    sockets.bring(0)
    sockets.spread(crowd)
    begun = sockets.turn.begun
    assert begun == 1 + READERS
    sockets.reply(1)
    assert sockets.turn.begun == begun
    sockets.finish()
    assert sockets.turn.ended == begun


def test_who_leaves_or_joins_meanwhile_changes_nothing_for_the_others() -> None:
    sockets, crowd = a_crowd_of_all()
    late = sockets.all[0]
    crowd.let_go(late.outbox)
    sockets.spread(crowd)
    sockets.turn.drain(MOST)
    crowd.take_in(late.outbox)
    crowd.let_go(sockets.all[-1].outbox)
    crowd.let_go(sockets.all[1].outbox)
    sockets.finish()
    assert sockets.got == sockets.expected
    assert late.got == b""


def test_who_is_closed_is_written_nothing_more_at_a_descriptor_that_may_be_anothers() -> None:
    sockets, crowd = a_crowd_of_all()
    sockets.spread(crowd)
    closed = sockets.all[READERS - 2]
    closed.outbox.close()
    sockets.finish()
    assert closed.got == b""
    assert len(crowd) == READERS
    crowd.let_go(closed.outbox)
    new = Socket(closed.descriptor, sockets.turn)
    sockets.all[new.descriptor] = new
    crowd.take_in(new.outbox)
    sockets.expected[new.descriptor] = b""
    sockets.spread(crowd)
    sockets.finish()
    assert sockets.got == sockets.expected


AT, CROWD = st.integers(0, READERS - 1), st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("spread"), CROWD, st.just(0)),
        st.tuples(st.just("drain"), st.integers(1, READERS - 1), st.just(0)),
        st.tuples(st.sampled_from(["bring", "reply", "drain one", "read"]), AT, st.just(0)),
        st.tuples(st.just("fill"), AT, CROWD),
        st.tuples(st.sampled_from(["join", "leave"]), AT, CROWD),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_each_reader_gets_all_that_is_for_it_in_order(steps: list[tuple[str, int, int]]) -> None:
    sockets = Sockets(4)
    for crowd, members in zip(sockets.crowds, (READERS, READERS, LARGE, 4), strict=True):
        for socket in sockets.all[:members]:
            crowd.take_in(socket.outbox)
    for kind, first, second in steps:
        sockets.step(kind, first, second)
        for got, expected in zip(sockets.got, sockets.expected, strict=True):
            assert expected.startswith(got)
    for socket in sockets.all:
        socket.read()
    sockets.finish()
    assert sockets.got == sockets.expected
    assert sockets.turn.ended == sockets.turn.begun
