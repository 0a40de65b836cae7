"""Every target by its name. A new one (a codec, a door) is a file, a line here, and a folder of inputs."""

from collections.abc import Callable
from pathlib import Path

from tests.fuzz.asking import ask_anything
from tests.fuzz.configuring import load_any_text
from tests.fuzz.emitting import emit_anything
from tests.fuzz.streaming import receive_anything

TARGETS: dict[str, Callable[[bytes], None]] = {
    "stream": receive_anything,
    "socketio": emit_anything,
    "rest": ask_anything,
    "config": load_any_text,
}

CORPUS = Path(__file__).parent / "corpus"
"""A folder of inputs for each target."""


def inputs(target: str) -> list[Path]:
    """The files that are kept for a target; there are some."""
    found = sorted((CORPUS / target).iterdir())
    assert found, target
    return found
