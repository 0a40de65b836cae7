"""Projections that follow an exchange in which a crowd trades."""

from collections.abc import Iterator
from itertools import chain
from random import Random

from jayx_stream.engine import Exchange
from jayx_stream.model.events import Commit
from jayx_stream.projections import Changes, Projections
from tests.engine.driving import Driver, crowd, opening


def follow(seed: int, count: int) -> Iterator[tuple[Exchange, Projections, Changes]]:
    """Exchange, projections and changes after each commit that a command of the crowd made."""
    driver, projections = Driver(), Projections()
    for command in chain(opening(), crowd(Random(seed), driver, count)):
        before = len(driver.commits)
        driver.ask(command)
        for commit in driver.commits[before:]:
            changes = projections.apply(commit)
            if projections.seq == driver.exchange.seq:
                yield driver.exchange, projections, changes


def journal(seed: int, count: int) -> list[Commit]:
    """All that a crowd made happen."""
    driver = Driver()
    for command in chain(opening(), crowd(Random(seed), driver, count)):
        driver.ask(command)
    return driver.commits
