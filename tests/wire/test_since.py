"""`since`: where a reader wants to go on (protocol §6, §7)."""

from typing import Any

import pytest

from jayx_stream.wire.actions import Reply, Resume, Subscribe
from jayx_stream.wire.channels import Channel, OpenOrdersChannel, PositionsChannel
from jayx_stream.wire.messages import encode
from tests.wire.client import EPOCH, KLINE, OPENORDERS, POSITIONS, Client

CHANNELS: dict[str, tuple[dict[str, Any], Channel]] = {
    "openorders": (OPENORDERS, OpenOrdersChannel("alice", "BTCUSDT")),
    "positions": (POSITIONS, PositionsChannel("alice")),
}


@pytest.mark.parametrize("event", CHANNELS)
@pytest.mark.parametrize("since", [0, 5, 2**63, 2**70])
def test_since_under_the_logs_epoch_resumes(event: str, since: int) -> None:
    message, channel = CHANNELS[event]
    client = Client()
    request = {"event": event, "message": {**message, "since": since, "epoch": EPOCH}, "id": 1}
    ack, resume = client.send(request)
    assert isinstance(ack, Reply)
    assert b'"ignored"' not in encode(ack.answer)
    assert resume == Resume(channel, since)


@pytest.mark.parametrize("event", CHANNELS)
@pytest.mark.parametrize("epoch", ["", "0000000000000000", EPOCH.upper()])
def test_since_under_another_epoch_is_a_reset(event: str, epoch: str) -> None:
    message, channel = CHANNELS[event]
    (subscribe,) = Client().send(
        {"event": event, "message": {**message, "since": 5, "epoch": epoch}}
    )
    assert subscribe == Subscribe(channel, 0, reset=True)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"since": 5}, "since 5 needs an epoch"),
        ({"since": 5, "epoch": None}, "since 5 needs an epoch"),
        ({"since": -1, "epoch": EPOCH}, "since -1 is less than 0"),
        ({"since": "5", "epoch": EPOCH}, "$.since"),
        ({"since": 1.5, "epoch": EPOCH}, "$.since"),
        ({"since": True, "epoch": EPOCH}, "$.since"),
        ({"since": 5, "epoch": 5}, "$.epoch"),
    ],
)
@pytest.mark.parametrize("event", CHANNELS)
def test_what_is_wrong_with_since_is_named(event: str, changed: dict[str, Any], says: str) -> None:
    client = Client()
    code, reason = client.refusal(event, {**CHANNELS[event][0], **changed})
    assert (code, says in reason) == ("BAD_REQUEST", True), reason
    assert client.ask("subscriptions", {})["message"] == {"streams": []}


def test_since_means_nothing_where_there_are_no_changes() -> None:
    acked = Client().ask_acked("kline", {**KLINE, "since": 5, "epoch": EPOCH})
    assert acked["ignored"] == ["since", "epoch"]


@pytest.mark.parametrize("more", [{"epoch": EPOCH}, {"epoch": EPOCH, "since": None}])
def test_an_epoch_alone_means_nothing(more: dict[str, Any]) -> None:
    assert Client().ask_acked("openorders", {**OPENORDERS, **more})["ignored"] == ["epoch"]
    (subscribe,) = Client().send({"event": "openorders", "message": {**OPENORDERS, **more}})
    assert subscribe == Subscribe(OpenOrdersChannel("alice", "BTCUSDT"), 0)
