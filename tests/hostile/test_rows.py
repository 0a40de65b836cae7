"""Every row of the table is answered as it says, and the bystander is served on all the while."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.hostile.rows import ROWS, Row
from tests.hostile.run import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    async with stage(folder) as made:
        yield made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_hostile_input_is_answered_and_harms_no_one_else(staged: Stage, row: Row) -> None:
    outcome = await staged.run(row, samples=20)
    assert outcome.answer == row.answer
    assert outcome.during.pings >= 20
