"""Frames of ours, and what is agreed on about compressed ones (RFC 7692).

Rule: a frame has the same bytes for everyone who reads it. So each is compressed by itself, no connection
has a compressor, and whoever can't read what we compress for all is sent plain frames.
"""

from collections.abc import Sequence

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode

WINDOW_BITS = 12
"""How far back a text may point, 4 KiB. With the 32 KiB that there may be, a book is less than 1 % smaller;
and so can clients read it that have room for no more than this.
"""

_COMPRESSION = PerMessageDeflate(
    remote_no_context_takeover=True,
    local_no_context_takeover=True,
    remote_max_window_bits=15,
    local_max_window_bits=WINDOW_BITS,
    # A book of 5 KB: 23 % of it in 31 µs; by level 6, 19 % in 68 µs. The compressor is made anew for each
    # text: the less memory it takes, the sooner.
    compress_settings={"level": 1, "memLevel": 5},
)
"""Of all texts, whoever reads them. It remembers nothing."""


def text_frame(text: bytes) -> bytes:
    """A text as it is: the library's frame, of which nothing but the length is to be worked out."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), text)


def deflated_frame(text: bytes) -> bytes:
    """A text compressed, for those who agreed to it."""
    return Frame(Opcode.TEXT, text).serialize(mask=False, extensions=[_COMPRESSION])


OFFERED = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True
)
"""What an offer of permessage-deflate is answered with. What clients compress, the library inflates, up to
its bound of a message.
"""


def takes_deflated(agreed: Sequence[Extension]) -> bool:
    """Whether a client reads the frames that are compressed for all. One that has agreed to compression and
    wants a smaller window can't; plain frames are always right.
    """
    return any(
        isinstance(each, PerMessageDeflate) and each.local_max_window_bits >= WINDOW_BITS
        for each in agreed
    )
