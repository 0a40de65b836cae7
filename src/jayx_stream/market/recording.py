"""Recorded markets: files of a venue's raw stream, a line being the receiver's clock in
nanoseconds, a blank, and JSON with `stream` and `data`. Rule: what stands in a file never raises.
"""

import gzip
import heapq
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct, field

from jayx_stream.market import MarketError
from jayx_stream.model.order import Side
from jayx_stream.model.units import COUNT_MAX

LINE_BYTES_MAX = 4_194_304
"""A longer line is a fault: it is no line of a stream."""

_GZIP_MAGIC = b"\x1f\x8b"


class RecordingError(MarketError):
    """A recording can't be had; the message begins with its file."""


class DepthDiff(Struct, frozen=True, gc=False):
    """Levels of the book that changed: price and quantity as decimal texts, quantity absolute."""

    symbol: str = field(name="s")
    bids: tuple[tuple[str, str], ...] = field(name="b")
    asks: tuple[tuple[str, str], ...] = field(name="a")


class RecordedTrade(Struct, frozen=True, gc=False):
    """One fill of a taker's order, as decimal texts."""

    symbol: str = field(name="s")
    price: str = field(name="p")
    quantity: str = field(name="q")
    buyer_is_maker: bool = field(name="m")

    @property
    def side(self) -> Side:
        """The taker's."""
        return Side.SELL if self.buyer_is_maker else Side.BUY


class RecordedLine(Struct, frozen=True, gc=False):
    """A line that could be read."""

    path: Path
    number: int
    """From 1, within its file."""
    time_ns: int
    """The receiver's clock."""
    content: DepthDiff | RecordedTrade | None
    """None: of a stream that isn't needed, such as bookTicker."""


class Fault(Struct, frozen=True):
    """What was wrong with a line, or behind it."""

    path: Path
    number: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.reason}"


_Text = IO[bytes] | gzip.GzipFile

OnFault = Callable[[Fault], None]


class RecordedMarket:
    """Files of recorded lines, merged by time. Iterated once; the files are closed at its end."""

    def __init__(self, paths: Sequence[Path], on_fault: OnFault) -> None:
        """Open all files. Raises RecordingError for one that can't be opened."""
        self.faults = 0
        """Lines passed over since they could not be read, and files that broke off."""
        self._on_fault = on_fault
        self._files: list[IO[bytes]] = []
        self._bytes = 0
        self._share_at_end: float | None = None
        try:
            self._bytes = sum(path.stat().st_size for path in paths)
            for path in paths:
                self._files.append(path.open("rb"))
        except OSError as error:
            self.close()
            raise RecordingError(f"{error.filename}: {error.strerror}") from error
        self._paths = tuple(paths)

    def __iter__(self) -> Iterator[RecordedLine]:
        """All lines of all files, oldest first; lines of one file stay in its order."""
        lines = [
            self._lines(path, file) for path, file in zip(self._paths, self._files, strict=True)
        ]
        try:
            yield from heapq.merge(*lines, key=_time_ns)
            self._share_at_end = 1.0
        finally:
            self.close()

    def read_share(self) -> float:
        """How much of the files has been read, by their bytes on the disk; 1 only at their end."""
        if self._share_at_end is not None:
            return self._share_at_end
        read_bytes = sum(file.tell() for file in self._files)
        return min(0.999, read_bytes / max(1, self._bytes))

    def close(self) -> None:
        """Let go of the files; may be called again."""
        self._share_at_end = self.read_share()
        for file in self._files:
            file.close()

    def _lines(self, path: Path, file: IO[bytes]) -> Iterator[RecordedLine]:
        text: _Text = file
        for number in count(1):
            try:
                if number == 1:
                    text = _unzipped(file)
                line = _whole_line(text)
            except (EOFError, OSError, zlib.error) as error:
                reason = f"the file breaks off after this line: {error}"
                self._report(Fault(path, number - 1, reason))
                return
            if not line:
                return
            try:
                time_ns, content = _read(line)
            except (ValueError, RecursionError) as error:
                self._report(Fault(path, number, str(error)))
            else:
                yield RecordedLine(path, number, time_ns, content)

    def _report(self, fault: Fault) -> None:
        self.faults += 1
        self._on_fault(fault)


def first_time_ns(paths: Sequence[Path]) -> int:
    """The time of the oldest line. Raises RecordingError if no file can be opened, or has a line."""
    market = RecordedMarket(paths, lambda fault: None)
    try:
        first = next(iter(market), None)
    finally:
        market.close()
    if first is None:
        raise RecordingError(f"{', '.join(map(str, paths))}: there is no recorded line")
    return first.time_ns


class _Envelope(Struct, frozen=True, gc=False):
    stream: str
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)
_contents: dict[str, msgspec.json.Decoder[DepthDiff] | msgspec.json.Decoder[RecordedTrade]] = {
    "depth": msgspec.json.Decoder(DepthDiff),
    "trade": msgspec.json.Decoder(RecordedTrade),
}


def _read(line: bytes) -> tuple[int, DepthDiff | RecordedTrade | None]:
    """Time and content. Raises ValueError that says what is wrong (msgspec's errors are such)."""
    if len(line) > LINE_BYTES_MAX:
        raise ValueError(f"the line is longer than {LINE_BYTES_MAX} bytes")
    stamp, _, payload = line.partition(b" ")
    if not stamp.isdigit() or len(stamp) > 19 or int(stamp) > COUNT_MAX:
        raise ValueError("it doesn't begin with a time in nanoseconds and a blank")
    envelope = _envelope.decode(payload)
    kind = envelope.stream.partition("@")[2].partition("@")[0]
    decoder = _contents.get(kind)
    return int(stamp), None if decoder is None else decoder.decode(envelope.data)


def _unzipped(file: IO[bytes]) -> _Text:
    zipped = file.read(2) == _GZIP_MAGIC
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if zipped else file


def _whole_line(text: _Text) -> bytes:
    """The next line; of one that is too long, its beginning. Empty at the end."""
    line = text.readline(LINE_BYTES_MAX + 1)
    rest = line
    while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
        rest = text.readline(LINE_BYTES_MAX + 1)
    return line


def _time_ns(line: RecordedLine) -> int:
    return line.time_ns
