"""`jayx-stream history rebuild`, and what a start says of a history that is not the journal's."""

import signal
from pathlib import Path
from typing import Any

from jayx_stream.history.sqlite import FILE_NAME, remove
from tests.app.test_serve import trade
from tests.doors.command import Served, run, served
from tests.doors.trader import ALICE, BOB, Trader


async def past(server: Served) -> list[Any]:
    """All that history tells two traders."""
    async with server.http() as http:
        return [
            (await Trader(http, who).done("GET", path))[0]
            for who in (ALICE, BOB)
            for path in ("orders", "trades")
        ]


async def test_a_history_is_made_again_from_the_journal(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            await trade(http)
        before = await past(server)
        code, _, complaints = await run("history", "rebuild", "--data-dir", tmp_path / "data")
        assert (code, "in use by another process" in complaints) == (1, True)
        await server.end(signal.SIGTERM)
    remove(tmp_path / "data" / FILE_NAME)
    code, output, complaints = await run("history", "rebuild", "--data-dir", tmp_path / "data")
    assert (code, "Traceback" in complaints) == (0, False), complaints
    assert f"{FILE_NAME} holds " in output
    async with served(tmp_path) as server:
        assert await past(server) == before
        assert len(before[0]) == 1
        await server.end(signal.SIGKILL)
    remove(tmp_path / "data" / FILE_NAME)
    async with served(tmp_path) as server:
        assert await past(server) == before


async def test_a_damaged_history_is_made_again_at_the_start(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            await trade(http)
        before = await past(server)
        await server.end(signal.SIGTERM)
    (tmp_path / "data" / FILE_NAME).write_bytes(b"damaged" * 5000)
    async with served(tmp_path) as server:
        assert await past(server) == before
        _, _, complaints = await server.end(signal.SIGTERM)
        assert f"{FILE_NAME} is made again from the journal: " in complaints
        assert "Traceback" not in complaints


async def test_a_folder_without_a_journal_is_named(tmp_path: Path) -> None:
    code, _, complaints = await run("history", "rebuild", "--data-dir", tmp_path)
    assert code == 1
    assert f"there is no journal.sqlite in {tmp_path}" in complaints
    assert list(tmp_path.iterdir()) == []
