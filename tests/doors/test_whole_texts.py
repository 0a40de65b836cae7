"""Texts that come whole are read past the library: nobody can tell (RFC 6455, 5)."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Event

from jayx_stream.doors.deflate import OFFERED
from jayx_stream.doors.frames import FrameProtocol
from tests.doors.deflating import RSV1, deflated
from tests.doors.raw import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame

MAX_SIZE = 300
HEAD_BYTES = 6
"""Of a short frame, with its mask."""


def opened(*, deflate: bool = False, max_size: int | None = MAX_SIZE) -> FrameProtocol:
    protocol = FrameProtocol(state=OPEN, max_size=max_size)
    if deflate:
        _, extension = OFFERED.process_request_params([], [])
        protocol.extensions = [extension]
    return protocol


def text(size: int) -> bytes:
    return frame(TEXT, (b"{'\xd0\xba" * size)[:size])


LOOKS_LIKE_TEXTS = frame(BINARY, frame(BINARY, 2 * frame(TEXT, b"{}"))[HEAD_BYTES:])
UNMASKED = b"\x81\x06{.....}"
LONG_LENGTH = b"\x81\xff\0\0\0\0\0\0\0\x02\0\0\0\0{}"

FRAMES = st.one_of(
    st.sampled_from([0, 1, 2, 125, 126, 127, MAX_SIZE, MAX_SIZE + 1]).map(text),
    st.integers(0, 40).map(text),
    st.sampled_from(
        [
            frame(TEXT, b"\xff"),
            frame(TEXT, b"{", fin=False),
            frame(TEXT, b"{" * MAX_SIZE, fin=False),
            frame(CONT, b"}"),
            frame(CONT, b"}", fin=False),
            frame(BINARY, b"b"),
            LOOKS_LIKE_TEXTS,
            frame(PING, b"p"),
            frame(PONG, b""),
            frame(PING, b"p" * 126),
            frame(CLOSE, b""),
            frame(CLOSE, b"\x03\xe8bye"),
            frame(CLOSE, b"\x00"),
            frame(3, b""),
            frame(TEXT, b"x", reserved=2),
            frame(TEXT, deflated(b"{}" * 100), reserved=RSV1),
            frame(TEXT, deflated(b"{}" * 100)[:20], reserved=RSV1, fin=False),
            frame(TEXT, deflated(b"{" * 10_000), reserved=RSV1),
            # Not masked; and lengths that take more bytes than they need, or say too much.
            UNMASKED,
            b"\x81\xfe\x00\x02\0\0\0\0{}",
            b"\x81\xfe\x00\x7f\0\0\0\0" + b"x" * 127,
            LONG_LENGTH,
            b"\x81\xff\xff\0\0\0\0\0\0\x02\0\0\0\0{}",
        ]
    ),
    st.binary(max_size=12),
)


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """What some frames are, in the pieces in which it comes: they end where frames do, or anywhere."""
    sent = [b""]
    for each in draw(st.lists(FRAMES, max_size=6)):
        if draw(st.booleans()):
            sent.append(b"")
        cut = draw(st.sampled_from([0, 0, 0, 1, HEAD_BYTES, len(each) // 2]))
        sent[-1] += each[:cut]
        if cut:
            sent.append(b"")
        sent[-1] += each[cut:]
    return [piece for piece in sent if piece]


def told(events: Sequence[bytes | Event]) -> list[object]:
    return [Frame(Opcode.TEXT, each) if isinstance(each, bytes) else each for each in events]


def stands(protocol: FrameProtocol) -> tuple[object, ...]:
    return (
        protocol.state,
        protocol.data_to_send(),
        protocol.close_rcvd,
        protocol.close_sent,
        protocol.close_rcvd_then_sent,
        protocol.current_size,
        repr(protocol.parser_exc),
    )


@given(pieces(), st.booleans(), st.sampled_from([MAX_SIZE, None]))
@example([LOOKS_LIKE_TEXTS[:HEAD_BYTES], LOOKS_LIKE_TEXTS[HEAD_BYTES:]], False, None)
@example([frame(PING) + LOOKS_LIKE_TEXTS[:HEAD_BYTES], LOOKS_LIKE_TEXTS[HEAD_BYTES:]], False, None)
@example([text(9) + UNMASKED], False, None)
@example([LONG_LENGTH + text(200)], False, None)
def test_every_piece_gives_what_the_library_makes_of_it(
    sent: list[bytes], deflate: bool, max_size: int | None
) -> None:
    ours = opened(deflate=deflate, max_size=max_size)
    library = opened(deflate=deflate, max_size=max_size)
    for piece in sent:
        library.receive_data(piece)
        assert told(ours.take_in(piece)) == library.events_received()
        assert stands(ours) == stands(library)
    ours.receive_eof()
    library.receive_eof()
    assert stands(ours) == stands(library)


@given(pieces(), st.integers(0, 6))
def test_nothing_changes_after_a_goodbye_of_ours(sent: list[bytes], said_before: int) -> None:
    ours, library = opened(), opened()
    for number, piece in enumerate(sent):
        if number == said_before:
            for each in (ours, library):
                if each.state is OPEN:
                    each.send_close(1000)
        library.receive_data(piece)
        assert told(ours.take_in(piece)) == library.events_received()
        assert stands(ours) == stands(library)


@pytest.mark.parametrize("size", [0, 1, 125, 126, MAX_SIZE])
def test_a_whole_text_is_not_given_to_the_library(size: int) -> None:
    protocol = opened()
    sent = text(size)
    taken = protocol.take_in(sent + sent)
    assert [type(each) for each in taken] == [bytes, bytes]
    assert told(taken) == [Frame(Opcode.TEXT, (b"{'\xd0\xba" * size)[:size])] * 2


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(PING, b"p")],
        [text(9)[:3], text(9)[3:]],
        [text(9) + text(9)[:7], text(9)[7:]],
        [frame(TEXT, b"{", fin=False), frame(CONT, b"}")],
    ],
)
def test_texts_are_read_here_again_after_what_was_the_librarys(pieces: list[bytes]) -> None:
    protocol = opened()
    for piece in pieces:
        taken = protocol.take_in(piece)
    assert isinstance(taken[-1], Frame)
    assert [type(each) for each in protocol.take_in(text(9))] == [bytes]
