"""`jayx-stream journal verify|show|export`: whole or not and where, in words that can be read."""

import asyncio
import json
import os
import sys
from pathlib import Path

import apsw
import pytest

from jayx_stream.app.journal_cli import readable
from jayx_stream.journal.sqlite import FILE_NAME, SqliteJournal
from jayx_stream.model.events import AccountOpened, Commit, Deposited
from tests.doors.command import run
from tests.torture.victims import batches, joined

BATCHES = batches(1, 60)
COMMITS = joined(BATCHES)
EVENTS = sum(len(commit.events) for commit in COMMITS)


async def make(directory: Path, *further: Commit) -> None:
    journal = await SqliteJournal.open(directory)
    for batch in BATCHES:
        await journal.append(batch)
    if further:
        await journal.append(further)
    await journal.close()


async def test_verify_tells_what_is_there(tmp_path: Path) -> None:
    await make(tmp_path)
    code, output, complaints = await run("journal", "verify", "--data-dir", tmp_path)
    assert code == 0, complaints
    assert output.startswith(
        f"the journal is whole: {len(COMMITS)} commits, {EVENTS} events, epoch "
    )
    assert complaints == f"verified {len(COMMITS)} of {len(COMMITS)} commits\n"


async def test_verify_names_a_damaged_record(tmp_path: Path) -> None:
    await make(tmp_path)
    first_seq = BATCHES[7][0].seq
    connection = apsw.Connection(str(tmp_path / FILE_NAME))
    connection.execute("UPDATE records SET batch = x'90' WHERE first_seq = ?", (first_seq,))
    connection.close()
    code, output, complaints = await run("journal", "verify", "--data-dir", tmp_path)
    assert (code, output) == (1, "")
    assert f"record {first_seq} to {BATCHES[7][-1].seq}: the hash does not fit" in complaints


@pytest.mark.parametrize(
    "event",
    [
        AccountOpened("outside"),
        Deposited("ann", "USD", -(10**9), "x"),
        Deposited("x", "USD", 1, ""),
    ],
)
async def test_verify_names_a_commit_that_cannot_have_happened(
    tmp_path: Path, event: AccountOpened | Deposited
) -> None:
    seq, time_ns = COMMITS[-1].seq + 1, COMMITS[-1].time_ns
    opened = isinstance(event, AccountOpened)
    await make(tmp_path, Commit(seq, time_ns - opened, (event,)))
    code, output, complaints = await run("journal", "verify", "--data-dir", tmp_path)
    assert (code, output) == (1, "")
    assert f"commit {seq} is whole, but can't have happened" in complaints


async def test_show_prints_a_commit_a_line(tmp_path: Path) -> None:
    await make(tmp_path)
    code, output, complaints = await run(
        "journal", "show", "--data-dir", tmp_path, "--from", "3", "--to", "5"
    )
    assert (code, complaints) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines == [json.loads(json.dumps(readable(commit))) for commit in COMMITS[2:5]]
    assert lines[0]["events"][0]["event"] == type(COMMITS[2].events[0]).__name__


@pytest.mark.parametrize(
    "asked", [("--from", "100000"), ("--from", "0"), ("--from", "5", "--to", "4")]
)
async def test_commits_that_are_not_there_are_refused(
    tmp_path: Path, asked: tuple[str, ...]
) -> None:
    await make(tmp_path)
    code, output, complaints = await run("journal", "show", "--data-dir", tmp_path, *asked)
    assert (code, output) == (1, "")
    assert f"the journal has 1 to {COMMITS[-1].seq}" in complaints


async def test_export_writes_everything_once(tmp_path: Path) -> None:
    await make(tmp_path)
    file = tmp_path / "all.jsonl"
    arguments = ("journal", "export", "--data-dir", tmp_path, "--to", file)
    code, output, complaints = await run(*arguments)
    assert (code, output) == (0, ""), complaints
    lines = file.read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [commit.seq for commit in COMMITS]
    code, _, complaints = await run(*arguments)
    assert code == 1
    assert "File exists" in complaints
    code, output, complaints = await run("journal", "export", "--data-dir", tmp_path)
    assert output.splitlines() == lines


async def test_a_server_in_the_folder_is_named(tmp_path: Path) -> None:
    await make(tmp_path)
    journal = await SqliteJournal.open(tmp_path)
    for command in ("verify", "show", "export"):
        code, output, complaints = await run("journal", command, "--data-dir", tmp_path)
        assert (code, output) == (1, "")
        assert "journal.sqlite is in use by another process" in complaints
    await journal.close()


async def test_an_empty_folder_is_named_and_stays_empty(tmp_path: Path) -> None:
    code, output, complaints = await run("journal", "verify", "--data-dir", tmp_path)
    assert (code, output) == (1, "")
    assert complaints == f"jayx-stream: no journal in {tmp_path}\n"
    assert list(tmp_path.iterdir()) == []


async def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    await make(tmp_path)
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = await asyncio.create_subprocess_exec(
        *_command("export", tmp_path), stdout=write_end, stderr=asyncio.subprocess.PIPE
    )
    os.close(write_end)
    _, complaints = await process.communicate()
    assert b"Traceback" not in complaints


def _command(name: str, directory: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "jayx_stream", "journal", name, "--data-dir", str(directory))


def test_an_event_is_told_with_names() -> None:
    commit = Commit(7, 1_500_000_000_123_456_789, (Deposited("ann", "BTC", 5, "first"),))
    assert readable(commit) == {
        "seq": 7,
        "time": "2017-07-14T02:40:00.123456789Z",
        "time_ns": 1_500_000_000_123_456_789,
        "events": [
            {
                "event": "Deposited",
                "account": "ann",
                "asset": "BTC",
                "units": 5,
                "reference": "first",
            }
        ],
    }
