"""All targets one after the other under atheris: `python -m tests.fuzz SECONDS [TARGET…]`.

Prints executions, minutes and crashes of each. An input that made one raise is saved in the target's
corpus, and replayed from then on; what else is found stays in `.fuzz/` for the next time.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS

FOUND = Path(".fuzz")
INPUT_BYTES_MAX = 16_384


def fuzz(target: str, seconds: int) -> bool:
    """Whether nothing was raised."""
    found, kept = FOUND / target, CORPUS / target
    found.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    command = [
        *(sys.executable, "-m", "tests.fuzz.under_atheris", target),
        *(f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", "-timeout=10"),
        *("-print_final_stats=1", f"-artifact_prefix={kept}/", str(found), str(kept)),
    ]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    minutes = (time.monotonic() - begun) / 60
    executed = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    reached = re.findall(r"cov: (\d+)", run.stderr)
    print(
        f"{target:8} {int(executed[1]) if executed else 0:>10,} executions {minutes:6.1f} minutes"
        f" {reached[-1] if reached else 0:>6} edges   {'crashed' if run.returncode else 'no crash'}"
    )
    if run.returncode:
        print(run.stdout[-4000:], run.stderr[-4000:])
    return run.returncode == 0


def main(seconds: int, targets: list[str]) -> int:
    """The exit code."""
    good = [fuzz(target, seconds) for target in targets or TARGETS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
