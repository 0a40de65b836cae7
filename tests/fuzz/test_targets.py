"""No input that is kept makes a target raise, nor one that is made of it."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutating import MUTATIONS
from tests.fuzz.targets import CORPUS, TARGETS, inputs

EXAMPLES = 20_000 if os.environ.get("TORTURE") == "full" else 100

KEPT = [(target, path) for target in TARGETS for path in inputs(target)]


@pytest.mark.parametrize(
    ("target", "path"), KEPT, ids=[f"{each[0]}-{each[1].name}" for each in KEPT]
)
def test_a_kept_input_raises_nothing(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())


def mutated(target: str) -> st.SearchStrategy[bytes]:
    """Kept inputs, cut, patched, and changed by those who know their form."""
    kept = st.sampled_from([path.read_bytes() for path in inputs(target)])

    def patch(data: bytes, at: int, gone: int, put: bytes) -> bytes:
        at %= len(data) + 1
        return data[:at] + put + data[at + gone :]

    def change(data: bytes, seed: int) -> bytes:
        try:
            return MUTATIONS[target](data, seed)
        except ValueError:
            return data

    patched = st.builds(patch, kept, st.integers(0, 5000), st.integers(0, 9), st.binary(max_size=9))
    return patched | st.builds(change, kept, st.integers(0, 2**32)) | st.binary(max_size=200)


@pytest.mark.parametrize("target", TARGETS)
def test_a_mutated_input_raises_nothing(target: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(mutated(target))
    def check(data: bytes) -> None:
        TARGETS[target](data)

    check()


@pytest.mark.parametrize(
    ("target", "name"),
    [("stream", "trading"), ("socketio", "order"), ("rest", "place"), ("config", "sandbox")],
)
def test_a_mutation_depends_on_its_seed_alone(target: str, name: str) -> None:
    data = (CORPUS / target / name).read_bytes()
    made = [MUTATIONS[target](data, seed) for seed in range(50)]
    assert len(set(made)) > 10
    assert made == [MUTATIONS[target](data, seed) for seed in range(50)]
