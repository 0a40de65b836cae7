"""`python -m tests.torture ...`: one case of a campaign again, as its failure said; prints the outcome.

damage VICTIM SEED COUNT FILE BYTE cut|BIT
failing SEED KIND AT ERROR [lasting] [torn]
syscall SEED CALLS WHAT AT LIFE
"""

import sys
from pathlib import Path

from tests.torture import damage, failing, syscalls


def again(kind: str, arguments: list[str]) -> str:
    """The outcome of a case."""
    match kind, arguments:
        case "damage", [victim, seed, count, file, byte, how]:
            return damage.again(Path(victim), int(seed), int(count), file, int(byte), how)
        case "failing", [seed, call, at, error, *how]:
            return failing.again(int(seed), call, int(at), error, *how)
        case "syscall", [seed, calls, what, at, life]:
            injection = syscalls.Injection(calls, what, int(at), int(life))
            return syscalls.outcome(int(seed), injection)[0]
        case _:
            return str(__doc__)


if __name__ == "__main__":
    print(again("".join(sys.argv[1:2]), sys.argv[2:]))
