"""Frames and the messages that they make, without a socket: the `websockets` library's, and what it leaves
open.

Rule: bytes become frames in the library, and nowhere else.
"""

from codecs import getincrementaldecoder

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol


class FrameProtocol(ServerProtocol):
    """The library's side of one connection."""

    def recv_frame(self, frame: Frame) -> None:
        """A close may come between the fragments of a message (RFC 6455, 5.4); the library says no."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)

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
