"""Builds what the benchmarks of fan-out compare with, in `.bench/`: peers from the registries, each in an
environment of its own, and three programs in C.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILT = ROOT / ".bench"
PYTHON_PEERS = (
    "socketify==0.0.31",
    "websockets==17.4",
    "python-socketio==5.18.1",
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
)
NODE_PEERS = ("ws@8.18.3", "socket.io@4.8.4")

OPENSSL = ("-lssl", "-lcrypto")
PROGRAMS: dict[str, tuple[str, ...]] = {"load": OPENSSL, "held": OPENSSL, "limit": ()}


class BuildError(Exception):
    """What is missing on this machine, and how to have it."""


def build() -> None:
    """Everything, unless it is there. Raises BuildError."""
    for tool, package in (("cc", "gcc"), ("npm", "npm"), ("taskset", "util-linux")):
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is missing (apt-get install {package})")
    if not Path("/usr/include/openssl/ssl.h").exists():
        raise BuildError("OpenSSL's headers are missing (apt-get install libssl-dev)")
    BUILT.mkdir(exist_ok=True)
    for name, links in PROGRAMS.items():
        sources = (HERE / f"{name}.c", HERE / "client.h")
        program = BUILT / name
        newest = max(source.stat().st_mtime for source in sources)
        if not program.exists() or program.stat().st_mtime < newest:
            _run("cc", "-O2", "-o", program, sources[0], *links)
    if not (BUILT / "python" / ".installed").exists():
        _run(sys.executable, "-m", "venv", BUILT / "python")
        _run(python(), "-m", "pip", "install", "--quiet", *PYTHON_PEERS)
        (BUILT / "python" / ".installed").touch()
    if not (BUILT / "node" / "node_modules").exists():
        (BUILT / "node").mkdir(exist_ok=True)
        _run(
            "npm",
            "install",
            "--silent",
            "--no-package-lock",
            "--prefix",
            BUILT / "node",
            *NODE_PEERS,
        )


def python() -> Path:
    """The interpreter that has the peers in Python."""
    return BUILT / "python" / "bin" / "python"


def _run(*command: str | Path) -> None:
    ended = subprocess.run([str(word) for word in command], check=False, capture_output=True)
    if ended.returncode:
        raise BuildError(f"{command[0]} failed: {ended.stderr.decode()[-2000:]}")
