"""The campaign against loss: a short share of it runs with the other tests, all of it by `make torture`.

Each campaign gives a `Report`. A failure says how to run that one case again.
"""

import os
from collections import Counter
from dataclasses import dataclass, field

FULL = os.environ.get("TORTURE") == "full"
SEED = int(os.environ.get("TORTURE_SEED", "3"))


@dataclass
class Report:
    """What one campaign tried, and what came of it."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    """Commits or orders that had been acknowledged and were looked for, over all cases."""
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tried(self) -> int:
        """Cases."""
        return self.outcomes.total()

    def line(self) -> str:
        """For the table."""
        outcomes = ", ".join(f"{name} {count:,}" for name, count in sorted(self.outcomes.items()))
        return (
            f"{self.name}: {self.tried:,} cases in {self.seconds:.1f} s, "
            f"{self.acknowledged:,} acknowledged looked for: {outcomes}"
        )

    def check(self) -> None:
        """Print the line, keep it for the table, and fail with the cases that failed."""
        print(self.line())
        REPORTS.append(self)
        assert not self.failures, "\n".join(self.failures[:20])


REPORTS: list[Report] = []
"""Of this run."""
