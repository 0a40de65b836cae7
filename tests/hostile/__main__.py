"""`python -m tests.hostile [SAMPLES]`: the whole table, with the bystander's p99 before and during."""

import asyncio
import sys
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.hostile.rows import ROWS
from tests.hostile.run import Outcome, stage


async def outcomes(samples: int) -> list[Outcome]:
    """Of all rows."""
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder)) as staged:
            return [await staged.run(row, samples=samples) for row in ROWS]


def table(found: list[Outcome]) -> Table:
    """A line each."""
    made = Table(title="hostile input, and a bystander's pings", box=box.SIMPLE_HEAD)
    made.add_column("input")
    made.add_column("answer", overflow="fold")
    for name in ("p99 before, ms", "p99 during, ms", "max during, ms"):
        made.add_column(name, justify="right")
    for each in found:
        before, during = each.before, each.during
        figures = (f"{figure:.1f}" for figure in (before.p99_ms, during.p99_ms, during.max_ms))
        as_told = (
            each.answer if each.answer == each.row.answer else f"NOT AS EXPECTED: {each.answer}"
        )
        made.add_row(each.row.name, as_told, *figures)
    return made


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    Console(width=130).print(table(asyncio.run(outcomes(wanted))))
