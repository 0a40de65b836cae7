"""Recordings are read whatever stands in them."""

import gzip
from pathlib import Path

import pytest

from jayx_stream.market.recording import (
    LINE_BYTES_MAX,
    DepthDiff,
    Fault,
    RecordedLine,
    RecordedMarket,
    RecordedTrade,
    RecordingError,
    first_time_ns,
)
from tests.market.lines import START_NS, depth, ticker, trade, write


def read(*paths: Path) -> tuple[list[RecordedLine], list[Fault]]:
    faults: list[Fault] = []
    market = RecordedMarket(paths, faults.append)
    lines = list(market)
    assert market.faults == len(faults)
    assert market.read_share() == 1.0
    return lines, faults


@pytest.mark.parametrize("zipped", [False, True])
def test_lines_come_with_number_time_and_content(tmp_path: Path, zipped: bool) -> None:
    text = "\n".join([ticker(0), depth(1, [("1.5", "2")], []), trade(2, "1.5", "1", sell=True)])
    path = tmp_path / "market"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    lines, faults = read(path)
    assert [(line.number, line.time_ns - START_NS) for line in lines] == [
        (1, 0),
        (2, 1_000_000),
        (3, 2_000_000),
    ]
    assert lines[0].content is None
    assert lines[1].content == DepthDiff(symbol="BTCUSDT", bids=(("1.5", "2"),), asks=())
    assert lines[2].content == RecordedTrade(
        symbol="BTCUSDT", price="1.5", quantity="1", buyer_is_maker=True
    )
    assert not faults


BAD_LINES = [
    "",
    "no time",
    "-5 {}",
    f"{START_NS}",
    f"{START_NS} {{",
    f"{START_NS} {{}}",
    f'{START_NS} {{"stream": "x@depth", "data": {{"s": "X", "b": [["1"]], "a": []}}}}',
    f'{START_NS} {{"stream": "x@trade", "data": {{"s": "X", "p": 1, "q": "1", "m": true}}}}',
    f'{START_NS} {{"stream": "x", "data": {"[" * 100_000}',
    f"99999999999999999999 {ticker(0)}",
    "x" * (LINE_BYTES_MAX + 10),
]


@pytest.mark.parametrize("bad", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_is_named_and_passed_over(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path / "market", ticker(0), bad, trade(1, "1", "1"))
    lines, faults = read(path)
    assert [line.number for line in lines] == [1, 3]
    assert [(fault.path, fault.number) for fault in faults] == [(path, 2)]
    assert str(faults[0]).startswith(f"{path}:2: ")
    assert faults[0].reason


def test_text_that_is_not_utf_8_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "market"
    path.write_bytes(trade(0, "1", "1").encode().replace(b'"p"', b'"\xff"') + b"\n")
    lines, faults = read(path)
    assert not lines
    assert faults[0].number == 1


def test_a_gz_that_breaks_off_gives_its_whole_lines(tmp_path: Path) -> None:
    text = "".join(f"{trade(ms, str(ms), '1')}\n" for ms in range(5000))
    data = gzip.compress(text.encode())
    path = tmp_path / "broken.gz"
    path.write_bytes(data[: len(data) // 2])
    lines, faults = read(path)
    assert 1000 < len(lines) < 4000
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert faults[0].number == len(lines)
    assert "breaks off" in faults[0].reason


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    one = write(tmp_path / "one", ticker(0), ticker(30))
    two = write(tmp_path / "two", "bad", ticker(10), ticker(20))
    lines, faults = read(one, two)
    assert [(line.path, line.number) for line in lines] == [(one, 1), (two, 2), (two, 3), (one, 2)]
    assert len(faults) == 1
    assert first_time_ns([two, one]) == START_NS
    assert first_time_ns([two]) == START_NS + 10_000_000


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.gz"
    with pytest.raises(RecordingError, match=r"missing\.gz: No such file"):
        RecordedMarket([write(tmp_path / "there"), missing], lambda fault: None)
    with pytest.raises(RecordingError, match="no recorded line"):
        first_time_ns([write(tmp_path / "empty")])
