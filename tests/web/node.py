"""Runs the page's modules in node, for what needs no browser."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import jayx_stream

NODE = shutil.which("node")
WEB = Path(jayx_stream.__file__).parent / "web"

needs_node = pytest.mark.skipif(
    NODE is None and os.environ.get("CI") != "true", reason="node is not installed"
)


def run(script: str, folder: Path, *, given: bytes = b"") -> list[str]:
    """The lines that a script prints; it stands beside the page's modules, and may import them."""
    assert NODE is not None, "node has to be there in CI"
    for module in WEB.glob("*.js"):
        shutil.copy(module, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "run.js").write_text(script)
    done = subprocess.run(
        [NODE, folder / "run.js"], input=given, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
