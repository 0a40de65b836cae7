"""One target under atheris, libFuzzer for Python: `python -m tests.fuzz.under_atheris TARGET OPTION…`.

The options are libFuzzer's. This never returns: libFuzzer ends the process.
"""

import importlib
import sys

from tests.fuzz.mutating import MUTATIONS


def main(target: str, options: list[str]) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["jayx_stream"]):
        run = importlib.import_module("tests.fuzz.targets").TARGETS[target]

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        if seed % 2:
            try:
                return MUTATIONS[target](data, seed)[:max_size]
            except ValueError:
                pass
        mutated: bytes = atheris.Mutate(data, max_size)
        return mutated

    more = {"custom_mutator": mutate} if target in MUTATIONS else {}
    atheris.Setup([target, *options], run, **more)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
