"""The operator's port and the master key of the command `serve`."""

import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doors.command import CONFIG, free_port, run, served

OPERATED = "[admin]\nport = 0"


async def refusal(folder: Path, text: str = CONFIG) -> str:
    """The one line with which a start ends."""
    config = folder / "venue.toml"
    config.write_text(text)
    code, output, complaints = await run(
        "serve", "--config", config, "--port", "0", "--data-dir", folder / "data"
    )
    assert (code, output) == (1, "")
    assert "Traceback" not in complaints
    return complaints.splitlines()[-1].removeprefix("jayx-stream: ")


async def test_the_start_says_where_the_operator_s_port_is(tmp_path: Path) -> None:
    port = free_port()
    async with served(tmp_path, CONFIG.replace(OPERATED, f"[admin]\nport = {port}")) as server:
        _, output, _ = await server.end(signal.SIGTERM)
    assert output.splitlines()[0] == f"the operator's port is http://127.0.0.1:{port}/"
    for name in ("operator.token", "master.key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600


async def test_port_0_is_off(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        _, output, _ = await server.end(signal.SIGTERM)
    assert "operator" not in output
    assert not (tmp_path / "data" / "operator.token").exists()


async def test_an_operator_s_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = await refusal(tmp_path, CONFIG.replace(OPERATED, f"[admin]\nport = {port}"))
    assert said == f"can't listen on 127.0.0.1 port {port}: Address already in use"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.chmod(0o644), "can be read by others (mode 0644): chmod 600 it"),
        (lambda path: path.write_text("hush"), "is not 32 bytes, in hex or base64"),
        (lambda path: path.write_text("00" * 32), "does not open the secret of key 982b02888543"),
        (
            lambda path: path.unlink(),
            "is not there: without it the secret of key 982b02888543 is lost",
        ),
    ],
)
async def test_a_start_without_its_master_key_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    async with served(tmp_path) as server:
        await server.end(signal.SIGTERM)
    path = tmp_path / "data" / "master.key"
    spoil(path)
    there = path.exists()
    refused = await refusal(tmp_path)
    assert said in refused
    assert str(path) in refused
    assert "hush" not in refused
    assert path.exists() == there, "no new key is made where an old one is missing"


async def test_the_master_key_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAYX_MASTER_KEY", "17" * 32)
    for _ in range(2):
        async with served(tmp_path) as server:
            assert (await server.end(signal.SIGTERM))[0] == 0
    assert not (tmp_path / "data" / "master.key").exists()
    monkeypatch.setenv("JAYX_MASTER_KEY", "18" * 32)
    said = await refusal(tmp_path)
    expected = "the master key, from JAYX_MASTER_KEY, does not open the secret of key 982b02888543"
    assert said == expected


async def test_a_changed_key_is_told_and_does_not_stop_the_start(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        await server.end(signal.SIGTERM)
    async with served(tmp_path, CONFIG.replace('"alice-secret"', '"changed-secret"')) as server:
        code, _, complaints = await server.end(signal.SIGTERM)
    assert code == 0
    assert "key 982b02888543 of account alice was made with other secret than" in complaints
    assert "changed-secret" not in complaints
    assert "clmsionk21ru" not in complaints
