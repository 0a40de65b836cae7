"""What sockets take at once, and what is left of the rest."""

import socket
from collections.abc import Iterator

import pytest

from jayx_stream.doors.sockets import write_many

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Three connections; ours is the first of each, and doesn't wait."""
    made = [socket.socketpair() for _ in range(3)]
    for ours, _ in made:
        ours.setblocking(False)
    yield made
    for each in made:
        for end in each:
            end.close()


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


def test_each_socket_gets_what_is_for_it(pairs: list[Pair]) -> None:
    assert write_many(descriptors(pairs), [b"a", b"bb", b"ccc"]) == [1, 2, 3]
    assert [theirs.recv(10) for _, theirs in pairs] == [b"a", b"bb", b"ccc"]


def test_a_socket_without_room_takes_nothing_and_keeps_nobody_waiting(pairs: list[Pair]) -> None:
    fill(pairs[1][0])
    assert write_many(descriptors(pairs), [b"a", b"bb", b"ccc"]) == [1, 0, 3]
    assert pairs[2][1].recv(10) == b"ccc"


def test_a_socket_with_little_room_takes_a_part(pairs: list[Pair]) -> None:
    large = b"y" * 10_000_000
    took = write_many(descriptors(pairs), [large, b"bb", b"ccc"])
    assert 0 < took[0] < len(large)
    assert took[1:] == [2, 3]


def test_a_socket_whose_peer_is_gone_takes_nothing(pairs: list[Pair]) -> None:
    for place in (0, 2):
        pairs[place][1].close()
    assert write_many(descriptors(pairs), [b"a", b"bb", b"ccc"]) == [0, 2, 0]
    assert pairs[1][1].recv(10) == b"bb"


def test_to_nobody_nothing_is_written() -> None:
    assert write_many([], []) == []
