"""Checkpoints as an operator meets them: written at the stop, used at the start, made by a command."""

import re
import signal
from pathlib import Path

import pytest

from tests.app.test_serve import state, trade
from tests.doors.command import CONFIG, run, served
from tests.journal.test_sqlite import change


def files(folder: Path) -> list[Path]:
    return sorted((folder / "data").glob("checkpoint-*"))


async def test_a_start_uses_what_the_stop_wrote_and_everything_is_as_it_was(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            seq = await trade(http)
        before = await state(server)
        await server.end(signal.SIGTERM)
    (path,) = files(tmp_path)
    assert int(path.stem.split("-")[1]) >= seq
    async with served(tmp_path) as server:
        assert re.search(rf"checkpoint of commit {path.stem[11:]}, \d events", server.ready)
        assert await state(server) == before
        code, _, complaints = await server.end(signal.SIGTERM)
        assert code == 0
        assert not re.search("warning|error|Traceback", complaints), complaints


async def test_a_damaged_checkpoint_is_said_and_not_used(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            await trade(http)
        before = await state(server)
        await server.end(signal.SIGTERM)
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    async with served(tmp_path) as server:
        assert "checkpoint of commit" not in server.ready
        assert await state(server) == before
        _, _, complaints = await server.end(signal.SIGKILL)
    assert f"{path} is passed over: its checksum does not fit what it holds" in complaints
    assert "Traceback" not in complaints


async def test_damage_before_the_checkpoint_refuses_to_start_too(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            await trade(http)
        await server.end(signal.SIGTERM)
    assert files(tmp_path)
    change(tmp_path / "data", "UPDATE records SET hash = zeroblob(32) WHERE first_seq = 1")
    config = ("--config", tmp_path / "venue.toml", "--data-dir", tmp_path / "data")
    code, output, complaints = await run("serve", *config, "--port", "0")
    assert (code, output) == (1, "")
    assert "journal.sqlite: record 1 to" in complaints
    assert "the hash does not fit what it covers" in complaints


async def test_the_command_folds_the_whole_journal_and_writes_one(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            await trade(http)
        before = await state(server)
        await server.end(signal.SIGTERM)
    for path in files(tmp_path):
        path.unlink()
    code, output, complaints = await run("journal", "checkpoint", "--data-dir", tmp_path / "data")
    assert (code, complaints) == (0, "")
    (path,) = files(tmp_path)
    assert output.startswith(f"{path}: {path.stat().st_size:,} bytes, ")
    async with served(tmp_path) as server:
        assert f"checkpoint of commit {path.stem[11:]}, " in server.ready
        assert await state(server) == before


@pytest.mark.parametrize("folder", ["nothing", "missing/folder"])
async def test_the_command_makes_no_journal(tmp_path: Path, folder: str) -> None:
    (tmp_path / "nothing").mkdir()
    code, output, complaints = await run("journal", "checkpoint", "--data-dir", tmp_path / folder)
    assert (code, output) == (1, "")
    assert complaints.startswith("jayx-stream: ")
    assert "Traceback" not in complaints
    assert list((tmp_path / "nothing").iterdir()) == []


async def test_none_is_written_where_they_are_switched_off(tmp_path: Path) -> None:
    switched_off = f"{CONFIG}\n[data]\ncheckpoint_commits = 0\n"
    async with served(tmp_path, switched_off) as server, server.http() as http:
        await trade(http)
        await server.end(signal.SIGTERM)
    assert files(tmp_path) == []
