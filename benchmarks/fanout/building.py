"""Builds what the benchmarks of fan-out compare with, in `.bench/`: peers from the registries, each in an
environment of its own, and programs in C.
"""

import shutil
from pathlib import Path

from benchmarks.building import BUILT, ROOT, BuildError, environment, run

__all__ = ["BUILT", "HERE", "ROOT", "BuildError", "build", "python"]

HERE = Path(__file__).parent
PYTHON_PEERS = (
    "socketify==0.0.31",
    "websockets==17.4",
    "picows==2.3.1",
    "python-socketio==5.18.1",
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
)
NODE_PEERS = ("ws@8.18.3", "socket.io@4.8.4")

OPENSSL = ("-lssl", "-lcrypto")
PROGRAMS: dict[str, tuple[str, ...]] = {
    "load": OPENSSL,
    "held": OPENSSL,
    "streams": OPENSSL,
    "limit": (),
    "bad": (),
}


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
            run("cc", "-O2", "-o", program, sources[0], *links)
    environment("python", *PYTHON_PEERS)
    node = BUILT / "node"
    if not (node / "node_modules").exists():
        node.mkdir(exist_ok=True)
        run("npm", "install", "--silent", "--no-package-lock", "--prefix", node, *NODE_PEERS)


def python() -> Path:
    """The interpreter that has the peers in Python."""
    return BUILT / "python" / "bin" / "python"
