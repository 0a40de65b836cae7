"""What is compiled is, byte for byte, what the source is: the same tests, states and journals."""

import ast
import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
TESTED = ("tests/engine", "tests/hub", "tests/model", "tests/projections")
ROOMS = runpy.run_path(str(ROOT / "compile_rooms.py"))
LEFT_PLAIN = {
    "jayx_stream/engine/__init__.py",
    "jayx_stream/hub/__init__.py",
    "jayx_stream/projections/__init__.py",
    "jayx_stream/projections/rows.py",
}
"""Modules of the compiled rooms that define no struct, and have nothing to gain."""


def run(source: Path, *arguments: str) -> str:
    """What Python prints, with the package taken from `source`."""
    ran = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(source)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def can_compile() -> bool:
    """A C compiler and Python's headers are there."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return shutil.which(os.environ.get("CC", "cc")) is not None and header.exists()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as its source is."""
    without = shutil.ignore_patterns("*.so", "__pycache__")
    return Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("plain") / "src", ignore=without))


@pytest.fixture(scope="module")
def compiled(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package compiled."""
    if not can_compile():
        assert os.environ.get("CI") != "true", "CI compiles: it needs a C compiler"
        pytest.skip("there is no C compiler, or Python's headers are missing")
    source = Path(shutil.copytree(plain, tmp_path_factory.mktemp("compiled") / "src"))
    run(source, "compile_rooms.py", str(source))
    return source


def defines_a_struct(path: Path) -> bool:
    """Whether a class of the module has bases or keywords that mean more than Python says."""
    return any(
        isinstance(node, ast.ClassDef)
        and (node.keywords or any(ast.unparse(base).endswith("Struct") for base in node.bases))
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_no_struct_is_compiled() -> None:
    """mypyc passes over a class's keywords: what is compiled would be written in another form."""
    modules: tuple[str, ...] = ROOMS["MODULES"]
    assert modules
    assert [module for module in modules if defines_a_struct(SOURCE / module)] == []


def test_all_else_of_the_engine_the_projections_and_the_hub_is_compiled() -> None:
    folders = (SOURCE / "jayx_stream" / room for room in ("engine", "projections", "hub"))
    found = {
        str(path.relative_to(SOURCE))
        for folder in folders
        for path in folder.glob("*.py")
        if not defines_a_struct(path)
    }
    assert found - LEFT_PLAIN == set(ROOMS["MODULES"]) - {"jayx_stream/model/order.py"}


def test_every_module_that_is_to_be_compiled_is(compiled: Path) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for module in ROOMS["MODULES"]:
        assert (compiled / module).with_suffix(suffix).exists(), module
    told = "from jayx_stream.engine import is_compiled; print(is_compiled())"
    assert run(compiled, "-c", told) == "True\n"


def test_the_command_says_that_it_is_compiled(plain: Path, compiled: Path) -> None:
    version = run(plain, "-m", "jayx_stream", "--version").strip()
    assert run(compiled, "-m", "jayx_stream", "--version") == f"{version} (compiled)\n"


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_crowds_states_and_journal_are_the_same_bytes(
    plain: Path, compiled: Path, seed: str
) -> None:
    print_hashes = ("-m", "tests.engine.print_hashes", seed, "4000")
    hashes = run(compiled, *print_hashes)
    assert len(hashes.split()) == 3
    assert hashes == run(plain, *print_hashes)


def test_what_is_compiled_passes_the_tests_of_its_source(compiled: Path) -> None:
    told = run(
        compiled,
        *("-m", "pytest", "-p", "no:cacheprovider", f"--ignore={Path(__file__)}", *TESTED),
    )
    assert "[100%]" in told
