"""Makes machine code of parts of the package: the pure rooms, by mypyc, and the one part that is in C.

`python compile_rooms.py src` puts what comes of both beside the source.

Rule: what is compiled does, and writes, byte for byte what the source does; `tests/engine/test_compiled.py`
compares them. So no module that defines a msgspec Struct is compiled, since mypyc passes over a
class's keywords (`frozen`, `array_like`, `tag`), and other bytes would stand in the journal.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOMS = {
    "engine": (
        "audit book changing exchange invariants keyring ledger listings market matching orders"
        " placing transfers"
    ),
    "hub": "catch_up counts crowd hub outbox stream turn",
    "model": "order",
    "projections": (
        "changes grouping kline openorders orderbook positions projections recent ticker trades"
    ),
}
MODULES = tuple(f"jayx_stream/{room}/{name}.py" for room in ROOMS for name in ROOMS[room].split())
LIBRARY = "jayx_stream"
"""Name of the library that all of them share: `jayx_stream__mypyc`, beside the package."""

SENDING = "jayx_stream/doors/_sending.c"

BUILDER = "setuptools>=65"
"""Needed beside a C compiler and Python's headers, while the part in C is compiled."""

REQUIREMENTS = ("msgspec>=0.20", "mypy>=2", BUILDER)
"""The same for the rooms."""


def compile_rooms(source: Path, destination: Path) -> list[Path]:
    """Compile the modules of a source folder; gives the paths of the libraries within `destination`.
    Raises what mypyc raises, or ends the process as it does, if there is an error in them.
    """
    from mypyc.build import mypycify

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        copied = shutil.copytree(
            source, folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.so")
        )
        with contextlib.chdir(copied):
            options = ["--config-file=", "--explicit-package-bases", "--follow-imports=silent"]
            extensions = mypycify(
                [*options, "--strict", *MODULES],
                opt_level="3",
                debug_level="0",
                group_name=LIBRARY,
                target_dir=str(folder / "c"),
            )
            return _build(extensions, folder, destination)


def compile_sending(source: Path, destination: Path) -> list[Path]:
    """The same for the part in C, which is for Linux."""
    from setuptools import Extension

    warnings = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]
    extension = Extension(
        SENDING.removesuffix(".c").replace("/", "."),
        [str(source / SENDING)],
        extra_compile_args=["-O2", *warnings],
    )
    with tempfile.TemporaryDirectory() as made:
        return _build([extension], Path(made), destination)


def _build(extensions: list[Any], folder: Path, destination: Path) -> list[Path]:
    from setuptools import Distribution

    build = Distribution({"name": LIBRARY, "ext_modules": extensions}).get_command_obj("build_ext")
    build.build_lib = str(folder / "lib")
    build.build_temp = str(folder / "objects")
    build.ensure_finalized()
    build.run()
    libraries = sorted(path.relative_to(folder / "lib") for path in (folder / "lib").rglob("*.so"))
    for library in libraries:
        (destination / library).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "lib" / library, destination / library)
    return libraries


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    made = Path(sys.argv[2]) if len(sys.argv) > 2 else folder
    for library in compile_rooms(folder, made) + compile_sending(folder, made):
        print(library)
