"""The command's words: what it teaches, and what it says to a mistake."""

import asyncio
from pathlib import Path

from jayx_stream import __version__
from jayx_stream.engine import is_compiled
from tests.doors.command import CONFIG, run


async def test_help_names_the_command_and_what_it_does() -> None:
    for code, output, _ in await asyncio.gather(run(), run("--help")):
        assert code == 0
        assert "serve" in output
        assert "until Ctrl-C" in output


async def test_help_explains_every_option() -> None:
    code, output, _ = await run("serve", "--help")
    assert code == 0
    for option in ("config", "host", "port", "data-dir", "demo", "seed", "replay", "speed"):
        assert f"--{option} " in output
    assert "0 " in output
    assert "takes any free one" in output


async def test_the_version_is_told_and_whether_the_rooms_are_compiled() -> None:
    compiled = " (compiled)" if is_compiled() else ""
    assert await run("--version") == (0, f"{__version__}{compiled}\n", "")


async def test_a_mistyped_command_is_refused_without_a_traceback() -> None:
    mistyped = (
        ("serve",),
        ("serve", "--confg", "x.toml"),
        ("sreve",),
        ("serve", "--config", "x", "--port", "y"),
    )
    for code, output, complaints in await asyncio.gather(*(run(*each) for each in mistyped)):
        assert code == 2
        assert "Traceback" not in output + complaints
        assert output + complaints != ""


async def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    code, output, complaints = await run("serve", "--config", missing)
    assert (code, output) == (2, "")
    assert complaints == f"jayx-stream: {missing}: No such file or directory\n"


async def test_a_fault_of_the_configuration_is_told_with_file_and_line(tmp_path: Path) -> None:
    config = tmp_path / "venue.toml"
    config.write_text(CONFIG.replace("orders_per_s = 0", "orders_per_second = 0"))
    code, output, complaints = await run("serve", "--config", config, "--data-dir", tmp_path)
    assert (code, output) == (2, "")
    assert complaints.startswith(f"jayx-stream: {config}:2: ")
    assert "orders_per_second" in complaints
    assert "Traceback" not in complaints
