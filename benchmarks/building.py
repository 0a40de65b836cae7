"""Builds what benchmarks compare with, in `.bench/`: peers from the registries, each in an environment of
its own, and the package itself as it stands and compiled.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILT = ROOT / ".bench"


class BuildError(Exception):
    """What is missing on this machine, and how to have it."""


def run(*command: str | Path) -> None:
    """A step of a build. Raises BuildError with the end of what it said."""
    ended = subprocess.run([str(word) for word in command], check=False, capture_output=True)
    if ended.returncode:
        raise BuildError(f"{command[0]} failed: {ended.stderr.decode()[-2000:]}")


def environment(name: str, *packages: str, python: str = sys.executable) -> Path:
    """The interpreter of an environment with these packages, made if it is not there; what it lacks is
    installed. Raises BuildError.
    """
    folder = BUILT / name
    interpreter, installed = folder / "bin" / "python", folder / ".installed"
    wanted = "\n".join(packages)
    if not installed.exists() or installed.read_text() != wanted:
        if not interpreter.exists():
            run(python, "-m", "venv", folder)
        run(interpreter, "-m", "pip", "install", "--quiet", *packages)
        installed.write_text(wanted)
    return interpreter


def python_alone(folder: Path) -> Path:
    """Below `folder`: the package with nothing compiled, as it is where there is no C compiler."""
    made = folder / "alone"
    shutil.copytree(ROOT / "src", made, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return made


def package_builds(folder: Path) -> dict[str, Path]:
    """Below `folder`: the package as `make setup` leaves it, and with its rooms compiled if that can be
    done. `src` is left alone.
    """
    plain, compiled = folder / "plain", folder / "compiled"
    for each in (plain, compiled):
        shutil.copytree(ROOT / "src", each, ignore=_rooms_and_caches)
    ended = subprocess.run(
        [sys.executable, ROOT / "compile_rooms.py", compiled],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if ended.returncode:
        print("compiled: no, see above")
        return {"plain": plain}
    return {"plain": plain, "compiled": compiled}


def _rooms_and_caches(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if name == "__pycache__" or (name.endswith(".so") and not name.startswith("_sending"))
    ]
