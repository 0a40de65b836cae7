"""After the full campaign: one table."""

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from tests.torture import FULL, REPORTS, SEED, Report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FULL and REPORTS:
        Console(width=150).print(table(REPORTS))


def table(reports: list[Report]) -> Table:
    """What was tried, and what came of it."""
    made = Table(title=f"make torture, seed {SEED}", box=box.SIMPLE_HEAD)
    made.add_column("campaign", overflow="fold")
    for name in ("cases", "acknowledged", "failures", "seconds"):
        made.add_column(name, justify="right")
    made.add_column("outcomes", overflow="fold")
    for report in reports:
        outcomes = "\n".join(f"{count:,} {name}" for name, count in report.outcomes.most_common())
        made.add_row(report.name, *_figures(report), outcomes)
    made.add_section()
    made.add_row("all", *_figures(*reports))
    return made


def _figures(*reports: Report) -> tuple[str, ...]:
    return (
        f"{sum(report.tried for report in reports):,}",
        f"{sum(report.acknowledged for report in reports):,}",
        f"{sum(len(report.failures) for report in reports):,}",
        f"{sum(report.seconds for report in reports):.1f}",
    )
