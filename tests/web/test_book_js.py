"""The page's replica of a book, run by node: the same pushes, the same book as the Python one."""

import random
from pathlib import Path

import pytest
from msgspec import json

from jayx_stream.client.book import BookReplica
from tests.app.test_delta import DELTA, trade_at_random
from tests.feed.stage import Stage
from tests.web.node import needs_node, run

pytestmark = needs_node

RUN = """
import { BookGap, BookReplica, crc32 } from "./book.js";
import { readFileSync } from "node:fs";
const replica = new BookReplica();
for (const text of readFileSync(0, "utf8").trim().split("\\n")) {
  const { message, ...envelope } = JSON.parse(text);
  let known = "gap";
  try {
    known = replica.apply(message, envelope);
  } catch (error) {
    if (!(error instanceof BookGap)) throw error;
  }
  console.log(JSON.stringify({ known, seq: replica.seq, view: replica.view }));
}
console.log(crc32("123456789"));
"""


def told(pushes: list[bytes], folder: Path) -> list[dict[str, object]]:
    """What the replica says after each push."""
    *lines, crc = run(RUN, folder, given=b"\n".join(pushes))
    assert int(crc) == 0xCBF43926
    return [json.decode(line) for line in lines]


@pytest.mark.parametrize("seed", range(3))
async def test_it_holds_what_the_python_replica_holds(seed: int, tmp_path: Path) -> None:
    stage, chance, replica = Stage(), random.Random(seed), BookReplica()
    reader = stage.reader(DELTA)
    for _ in range(300):
        trade_at_random(stage, chance, (60, 140))
    held = told(reader.frames, tmp_path)
    assert len(held) == len(reader.frames)
    for frame, says in zip(reader.frames, held, strict=True):
        replica.apply_text(frame)
        assert replica.view is not None
        assert says["known"] is True
        assert says["seq"] == replica.seq
        view = json.decode(json.encode(replica.view))
        del view["trade_id"]
        assert says["view"] == view


async def test_it_notices_a_gap_once_and_a_wrong_checksum(tmp_path: Path) -> None:
    stage, chance = Stage(), random.Random(1)
    reader = stage.reader(DELTA)
    for _ in range(6):
        trade_at_random(stage, chance, (60, 140))
    whole, change, lost, later, *rest = reader.frames[:6]
    wrong = json.decode(whole)
    wrong["checksum"] ^= 1
    held = told([whole, change, later, *rest, whole, change, lost, json.encode(wrong)], tmp_path)
    known = [says["known"] for says in held]
    assert known == [True, True, "gap", *[False] * len(rest), True, True, True, "gap"]
