"""What sockets take at once, and what is left of the rest, in each way to write to them."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time_ns

import pytest

from jayx_stream.app.config import Config, Server
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.doors import sockets
from jayx_stream.doors.sockets import fastest_writes, write_each
from jayx_stream.hub.turn import WriteMany
from jayx_stream.journal.memory import MemoryJournal

Pair = tuple[socket.socket, socket.socket]

MANY = 600
"""More than go into a ring at once."""


def connections(count: int) -> list[Pair]:
    """Ours is the first of each, and doesn't wait."""
    made = [socket.socketpair() for _ in range(count)]
    for ours, _ in made:
        ours.setblocking(False)
    return made


def close(pairs: list[Pair]) -> None:
    for each in pairs:
        for end in each:
            end.close()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Three connections."""
    made = connections(3)
    yield made
    close(made)


@pytest.fixture
def crowd() -> Iterator[list[Pair]]:
    """Very many."""
    made = connections(MANY)
    yield made
    close(made)


def by_call() -> WriteMany:
    return written_in_c("send", io_uring=False)


def by_ring() -> WriteMany:
    return written_in_c("io_uring", io_uring=True)


def written_in_c(how: str, *, io_uring: bool) -> WriteMany:
    writes = fastest_writes(io_uring=io_uring)
    if writes.how == "write":
        assert os.environ.get("CI") != "true", "CI compiles: it needs a C compiler"
        pytest.skip("_sending was not compiled: install a C compiler and Python's headers")
    if writes.how != how:
        pytest.skip("the kernel has no io_uring, or forbids it")
    return writes.write_many


@pytest.fixture(params=[lambda: write_each, by_call, by_ring], ids=["write", "send", "io_uring"])
def write_many(request: pytest.FixtureRequest) -> WriteMany:
    way: Callable[[], WriteMany] = request.param
    return way()


def descriptors(pairs: list[Pair]) -> list[int]:
    return [ours.fileno() for ours, _ in pairs]


def fill(ours: socket.socket) -> int:
    """Write until the socket takes no more; gives how much it took."""
    filled = 0
    while True:
        try:
            filled += ours.send(b"x" * 65_536)
        except BlockingIOError:
            return filled


def test_each_socket_gets_what_is_for_it(write_many: WriteMany, pairs: list[Pair]) -> None:
    assert write_many(descriptors(pairs), [b"a", b"bb", b"ccc"]) == []
    assert [theirs.recv(10) for _, theirs in pairs] == [b"a", b"bb", b"ccc"]


def test_a_crowd_gets_push_after_push_in_order(write_many: WriteMany, crowd: list[Pair]) -> None:
    for push in range(20):
        frames = [b"%d of %d " % (push, place) for place in range(MANY)]
        assert write_many(descriptors(crowd), frames) == []
    for place, (_, theirs) in enumerate(crowd):
        assert theirs.recv(1000) == b"".join(b"%d of %d " % (push, place) for push in range(20))


def test_a_socket_without_room_takes_nothing_and_keeps_nobody_waiting(
    write_many: WriteMany, crowd: list[Pair]
) -> None:
    slow = [0, 3, 255, 256, 599]
    for place in slow:
        fill(crowd[place][0])
    assert write_many(descriptors(crowd), [b"a"] * MANY) == [(place, 0) for place in slow]
    healthy = [theirs for place, (_, theirs) in enumerate(crowd) if place not in slow]
    assert {theirs.recv(10) for theirs in healthy} == {b"a"}


@pytest.mark.parametrize("count", [3, MANY])
def test_a_socket_with_little_room_takes_a_part(write_many: WriteMany, count: int) -> None:
    pairs = connections(count)
    large = b"y" * 10_000_000
    ((place, taken),) = write_many(descriptors(pairs), [large, *[b"b"] * (count - 1)])
    assert place == 0
    assert 0 < taken < len(large)
    got = 0
    while got < taken:
        got += len(pairs[0][1].recv(65_536))
    assert got == taken
    close(pairs)


def test_a_socket_whose_peer_is_gone_takes_nothing(
    write_many: WriteMany, crowd: list[Pair]
) -> None:
    for place in (0, 2):
        crowd[place][1].close()
    assert write_many(descriptors(crowd), [b"bb"] * MANY) == [(0, 0), (2, 0)]
    assert crowd[1][1].recv(10) == b"bb"


def test_what_is_no_socket_takes_nothing(write_many: WriteMany, crowd: list[Pair]) -> None:
    places = descriptors(crowd)
    gone = os.dup(places[7])
    os.close(gone)
    places[7] = gone
    assert write_many(places, [b"bb"] * MANY) == [(7, 0)]


def test_to_nobody_nothing_is_written(write_many: WriteMany) -> None:
    assert write_many([], []) == []


def test_other_threads_run_while_a_crowd_is_written_to(crowd: list[Pair]) -> None:
    write_many = by_ring()
    places, stop = descriptors(crowd), threading.Event()

    def replace_frames() -> None:
        while not stop.is_set():
            frames[:] = [bytes([1 + count % 255]) * 3 for count in range(MANY)]

    frames = [b"aaa"] * MANY
    other = threading.Thread(target=replace_frames)
    other.start()
    for _ in range(50):
        assert write_many(places, frames) == []
    stop.set()
    other.join()
    assert {len(theirs.recv(1000)) for _, theirs in crowd} == {3 * 50}


def test_a_ring_that_fails_costs_nobody_a_frame(crowd: list[Pair]) -> None:
    before = rings()
    write_many = by_ring()
    (ring,) = rings() - before
    with Path(os.devnull).open() as other:
        os.dup2(other.fileno(), ring)
    assert write_many(descriptors(crowd), [b"a"] * MANY) == []
    assert write_many(descriptors(crowd), [b"b"] * MANY) == []
    assert {theirs.recv(10) for _, theirs in crowd} == {b"ab"}


def test_a_ring_goes_with_its_sender() -> None:
    before = rings()
    write_many = by_ring()
    assert len(rings()) == len(before) + 1
    del write_many
    assert rings() == before


def rings() -> set[int]:
    """Descriptors of this process's rings."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        try:
            if "io_uring" in os.readlink(each):
                found.add(int(each.name))
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize(
    ("places", "frames", "error"),
    [
        ([1], [], ValueError),
        ([1], ["text"], TypeError),
        (["1"], [b""], TypeError),
        ([-1], [b""], ValueError),
        ([2**40], [b""], ValueError),
        ((1,), (b"",), TypeError),
    ],
)
def test_what_is_not_descriptors_and_frames_is_refused(
    places: list[int], frames: list[bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        by_ring()(places, frames)


def test_without_what_is_in_c_python_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "Sender", None)
    assert fastest_writes() == ("write", write_each)


async def test_the_configuration_switches_io_uring_off() -> None:
    config = Config(server=Server(io_uring=False))
    assert EmbeddedVenue(config, MemoryJournal(), time_ns).writes.how in ("send", "write")
