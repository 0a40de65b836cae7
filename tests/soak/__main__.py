"""`python -m tests.soak [SECONDS [SEED]]`: a soak alone. Exit code 1, and what is wrong, if anything is."""

import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.soak.run import soak

HOUR_S = 3600


def main(*words: str) -> None:
    """Run, and say what came of it."""
    try:
        seconds, seed = [*map(int, words), *(HOUR_S, 3)[len(words) :]]
    except ValueError:
        sys.exit("soak: python -m tests.soak [SECONDS [SEED]], whole numbers")
    if seconds < 1:
        sys.exit(f"soak: SECONDS is {seconds}, less than 1")
    print(f"soak: {seconds:,} s, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(soak(Path(folder), seconds, seed, partial(print, flush=True)))
    for bad in outcome.bad:
        print(bad)
    print(outcome.line())
    sys.exit(not outcome.is_good)


if __name__ == "__main__":
    main(*sys.argv[1:])
