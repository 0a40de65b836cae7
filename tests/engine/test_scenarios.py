"""Matching and ledger, told as stories in `tests/scenarios/*.txt` that a trader can review.

A story: its title after `# `, commands, `----`, and what came of them. What stands before a file's
first story happens before each of its stories, untold. `UPDATE_SCENARIOS=1 pytest` rewrites the
lower halves: then read the diff. An account may have `OPEN_ORDERS_MAX` open orders.

In most stories a lot of OIL is one unit of it, and costs one unit of USD per tick.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from jayx_stream.model.reasons import ErrorCode
from tests.engine import invariants
from tests.engine.telling import Story

SCENARIOS = Path(__file__).parent.parent / "scenarios"
ENGINE = Path(__file__).parent.parent.parent / "src" / "jayx_stream" / "engine"
RULE = "----"


class Scenario(NamedTuple):
    """One story as it stands in its file."""

    path: Path
    opening: str
    text: str
    """All of it."""

    @property
    def title(self) -> str:
        """A sentence without its end."""
        return self.text.partition("\n")[0].removeprefix("# ").rstrip(".")

    @property
    def upper(self) -> str:
        """What is asked: from the title to the rule."""
        return self.text.partition(RULE)[0]

    @property
    def lower(self) -> str:
        """What is expected to come of it."""
        return self.text.partition(RULE)[2].removeprefix("\n")

    def rewrite(self, told: str) -> None:
        """Put what came of it in place of what was expected."""
        text = self.path.read_text()
        self.path.write_text(text.replace(self.text, f"{self.upper}{RULE}\n{told}"))


def read(path: Path) -> list[Scenario]:
    """The stories of one file."""
    opening, *stories = re.split(r"^(?=# )", path.read_text(), flags=re.MULTILINE)
    return [Scenario(path, opening, story.rstrip("\n")) for story in stories]


ALL = [scenario for path in sorted(SCENARIOS.glob("*.txt")) for scenario in read(path)]


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: f"{each.path.stem}: {each.title}")
def test_the_story_goes_as_told(scenario: Scenario) -> None:
    story = Story()
    opening = story.tell(scenario.opening)
    assert not any(line.startswith("refused") for line in opening), opening
    told = "\n".join(story.tell(scenario.upper))
    invariants.check_replay_equals_life(story.driver.exchange, story.driver.commits)
    if os.environ.get("UPDATE_SCENARIOS"):
        scenario.rewrite(told)
    else:
        assert told == scenario.lower


def test_each_title_is_told_once() -> None:
    titles = [(scenario.path.stem, scenario.title) for scenario in ALL]
    assert len(set(titles)) == len(titles)


def test_every_refusal_of_the_engine_is_told() -> None:
    source = "".join(path.read_text() for path in ENGINE.glob("*.py"))
    codes = set(re.findall(r"ErrorCode\.([A-Z_]+)", source))
    told = {
        code for scenario in ALL for code in re.findall(r"^refused (\w+)", scenario.lower, re.M)
    }
    assert told == codes <= set(ErrorCode)
