"""The page's source keeps the rules of the rest: short files that say what they are, and nothing unsafe."""

import re
from pathlib import Path

import pytest

from tests.web.node import WEB

FILE_LINES_MAX = 400
MODULES = sorted(WEB.glob("*.js"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert re.match(r"// [A-Z][^\n]+\n", path.read_text())


def test_files_are_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in WEB.iterdir()}
    assert [name for name, lines in lengths.items() if lines > FILE_LINES_MAX] == []
    assert len(lengths) > 10


def test_texts_of_others_stay_texts() -> None:
    unsafe = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    )
    assert [path.name for path in MODULES if unsafe.search(path.read_text())] == []


def test_no_module_asks_anyone_else() -> None:
    for path in MODULES:
        assert not re.search(r"https?://", path.read_text()), path.name
