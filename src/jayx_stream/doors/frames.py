"""Frames and the messages that they make, without a socket: the `websockets` library's, and what it leaves
open.

Rule: bytes become frames in the library. Only a text that comes whole, as nearly all do, is read here, by
the same rules, and only between two frames of the library's: there a tenth of the work is enough.
"""

from codecs import getincrementaldecoder

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # It is in C, and was not compiled.
    from websockets.utils import apply_mask

_WHOLE_TEXT = 0x81
"""First byte of a text in one frame, to which no extension did anything."""

_MASKED = 0x80
"""In the second byte, beside the length."""

_TWO_BYTES = 126
"""In place of a length that stands in the next two bytes."""

_HEAD_BYTES = 6
"""Of a short frame: two, and the mask."""


class FrameProtocol(ServerProtocol):
    """The library's side of one connection."""

    _is_between_frames = True
    """Whether the library was given whole frames only, so far."""

    def take_in(self, data: bytes) -> list[bytes | Event]:
        """Take bytes in. Gives what they end, in order: texts that came whole, unmasked, which need not
        be UTF-8; and all else as the library's events.
        """
        taken: list[bytes | Event] = []
        begin = self._take_texts(data, taken)
        if begin < len(data):
            self.receive_data(data[begin:] if begin else data)
            taken += self.events_received()
        return taken

    def receive_data(self, data: bytes | bytearray) -> None:
        """See `Protocol`."""
        self._is_between_frames = False
        super().receive_data(data)

    def recv_frame(self, frame: Frame) -> None:
        """A close may come between the fragments of a message (RFC 6455, 5.4); the library says no."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        self._is_between_frames = not self.reader.buffer
        super().recv_frame(frame)

    def _take_texts(self, data: bytes, texts: list[bytes | Event]) -> int:
        """Take the whole texts that the bytes begin with. Gives where the first thing begins that is none,
        or too long, and the library's.
        """
        begin, end = 0, len(data)
        if not self._is_between_frames or self.current_size is not None or self.state is not OPEN:
            return begin
        most = end if self.max_message_size is None else self.max_message_size
        while end - begin >= _HEAD_BYTES and data[begin] == _WHOLE_TEXT:
            size = data[begin + 1] - _MASKED
            mask_at = begin + 2
            if size == _TWO_BYTES:
                size = int.from_bytes(data[mask_at : begin + 4], "big")
                mask_at = begin + 4
            elif not 0 <= size < _TWO_BYTES:
                # Without a mask, or so long that it takes eight bytes to say.
                break
            text_at = mask_at + 4
            if size > most or text_at + size > end:
                break
            begin = text_at + size
            texts.append(apply_mask(data[text_at:begin], data[mask_at:text_at]))
        return begin

    def forget(self) -> None:
        """Nothing comes any more. The parser, and the frames of what went wrong, refer back here: as long as
        they do, only the garbage collector would free all that belongs to the connection.
        """
        self.parser.close()
        for wrong in (self.parser_exc, self.handshake_exc):
            each: BaseException | None = wrong
            while each is not None:
                each.__traceback__ = None
                each = each.__cause__ or each.__context__


class Fragments:
    """A message that comes in several frames; a text of them is UTF-8 as far as it has come."""

    def __init__(self, opcode: Opcode) -> None:
        """`opcode` is the first frame's."""
        self.opcode = opcode
        self.parts: list[bytes] = []
        self._utf8 = getincrementaldecoder("utf-8")()

    def add(self, data: bytes, *, is_last: bool) -> None:
        """Take the next one. Raises UnicodeDecodeError."""
        self.parts.append(data)
        if self.opcode is Opcode.TEXT:
            self._utf8.decode(data, is_last)


def has_body(request: Request) -> bool:
    """Whether a request says that a body follows its head. Some devices say that one of 0 bytes does."""
    headers = request.headers
    return "Transfer-Encoding" in headers or not set(headers.get_all("Content-Length")) <= {"0"}
