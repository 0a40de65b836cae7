"""The source keeps its own rules of style; each test names what breaks one."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from jayx_stream.model.reasons import CloseCode, ErrorCode

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "jayx_stream"
PROTOCOL = ROOT / "docs" / "protocol.md"

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PURE_ROOMS_WITHOUT_FLOATS = ("model", "engine", "projections", "desk")
ROOMS_WITHOUT_FLOATS = (*PURE_ROOMS_WITHOUT_FLOATS, "journal")
"""In a room that keeps files, `/` may join paths."""
EMPTY_NAMES = re.compile(r"\w*(Manager|Helper|Util|Utils)$|_*(handle|process)_\w+")
UNDONE = re.compile("TO" + "DO|FIX" + "ME|X" + "XX")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def files(*folders: Path) -> list[Path]:
    """All Python files below; there are some."""
    found = sorted(path for folder in folders for path in folder.rglob("*.py"))
    assert found, folders
    return found


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text())


def where(path: Path, node: ast.stmt | ast.expr) -> str:
    """For people and editors: file and line."""
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def definitions(path: Path) -> Iterator[Definition]:
    """All functions and classes of a file, however deep."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, Definition):
            yield node


def is_float(node: ast.AST) -> bool:
    """A float's literal, or its type."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    return isinstance(node, ast.Name) and node.id == "float"


def is_true_division(node: ast.AST) -> bool:
    """What makes a float of two whole numbers."""
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in files(SOURCE, ROOT / "tests")}
    assert [path for path, lines in lengths.items() if lines > FILE_LINES_MAX] == []


def test_functions_are_short() -> None:
    long = [
        f"{where(path, node)} {node.name}"
        for path in files(SOURCE)
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_module_says_what_it_is() -> None:
    assert [path for path in files(SOURCE) if not ast.get_docstring(parsed(path))] == []


@pytest.mark.parametrize("room", ROOMS_WITHOUT_FLOATS)
def test_money_is_never_a_float(room: str) -> None:
    found = [path for path in files(SOURCE / room) if any(map(is_float, ast.walk(parsed(path))))]
    assert found == []


@pytest.mark.parametrize("room", PURE_ROOMS_WITHOUT_FLOATS)
def test_money_is_never_divided_into_a_float(room: str) -> None:
    found = [
        path for path in files(SOURCE / room) if any(map(is_true_division, ast.walk(parsed(path))))
    ]
    assert found == []


def test_only_the_commands_print() -> None:
    prints = [
        where(path, node)
        for path in files(SOURCE)
        if path.relative_to(SOURCE).parts[0] != "app"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert prints == []


def test_names_say_what_something_is() -> None:
    empty = [
        f"{where(path, node)} {node.name}"
        for path in files(SOURCE)
        for node in definitions(path)
        if EMPTY_NAMES.fullmatch(node.name)
    ]
    assert empty == []


def test_nothing_is_left_undone() -> None:
    undone = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(SOURCE, ROOT / "tests")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNDONE.search(line)
    ]
    assert undone == []


def test_every_code_is_documented() -> None:
    text = PROTOCOL.read_text()
    words = [*(code.value for code in ErrorCode), *(str(code.value) for code in CloseCode)]
    assert [word for word in words if not re.search(rf"\b{word}\b", text)] == []
