"""Many clients rebuild the book from changes over a bad network: at each seq it is the engine's book."""

import pytest

from jayx_stream.doors import websocket as door
from tests.torture import FULL, SEED
from tests.torture.deltas import Campaign

CLIENTS, COMMANDS = (200, 40_000) if FULL else (10, 1500)


async def test_every_client_holds_the_engines_book_at_each_seq(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "WRITE_BUFFER_BYTES", 2048)
    campaign = Campaign(SEED, CLIENTS, COMMANDS)
    again = f"TORTURE_SEED={SEED} {'TORTURE=full ' if FULL else ''}pytest -s {__file__}"
    print(f"\nagain: {again}")
    await campaign.run()
    told = campaign.told
    print(", ".join(f"{name} {count:,}" for name, count in told.items()))
    assert campaign.report.outcomes["cut"], "nobody was cut off"
    assert told["resumed"], "nobody went on after a cut"
    assert told["merged"], "nobody was slow"
    campaign.report.check()
