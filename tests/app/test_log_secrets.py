"""Whatever a venue is asked, well or badly, its log has nothing in it that opens a door."""

import asyncio
import hmac
import io
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from jayx_stream.app.logs import logged
from tests.app.operated import Operated, operated
from tests.doors.raw import UPGRADE, request
from tests.doors.running import configured, limits
from tests.doors.trader import ALICE, BOB, READER, Credentials, Trader, now_ms

WRONG_SECRET, WRONG_KEY, WRONG_TOKEN = (
    "wrong-secret-of-alice",
    "no-such-key-at-all",
    "wrong-token-x",
)
CLIENT_ORDER_ID = "what-an-order-said"
FORGED = "https://x\u2028jayx-stream: error: forged"


class Secrets:
    """All that was ever used, as it was used."""

    def __init__(self) -> None:
        self.seen = {ALICE.key, ALICE.secret, BOB.key, BOB.secret, READER.key, READER.secret}
        self.seen |= {WRONG_SECRET, WRONG_KEY, WRONG_TOKEN, CLIENT_ORDER_ID}

    async def note(self, asked: httpx.Request) -> None:
        """An httpx event hook."""
        for name in ("JAYX-ACCESS-KEY", "JAYX-ACCESS-SIGN"):
            if name in asked.headers:
                self.seen.add(asked.headers[name])


def login(who: Credentials, secrets: Secrets, event: str = "login") -> dict[str, Any]:
    """The message of a signed stream request."""
    stamp = str(now_ms())
    text = f"{stamp}GET/stream/{event}".encode()
    sign = b64encode(hmac.digest(who.secret.encode(), text, "sha256")).decode()
    secrets.seen.add(sign)
    return {"apiKey": who.key, "timestamp": stamp, "sign": sign, "category": "spot"}


async def use_rest(venue: Operated, secrets: Secrets) -> None:
    async with venue.running.http() as http:
        http.event_hooks["request"].append(secrets.note)
        alice, thief = Trader(http, ALICE), Trader(http, Credentials(ALICE.key, WRONG_SECRET))
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
        await alice.done("POST", "order", {**order, "clientOrderId": CLIENT_ORDER_ID})
        await alice.done("DELETE", f"order?clientOrderId={CLIENT_ORDER_ID}")
        await alice.call("POST", "order", f"{{{CLIENT_ORDER_ID}".encode())
        await Trader(http, READER).call("POST", "order", order)
        await http.get(f"/api/v1/public/depth?symbol={CLIENT_ORDER_ID}&apiKey={ALICE.key}")
        await http.get(f"/api/v1/{ALICE.key}")
        for trader in (thief, Trader(http, Credentials(WRONG_KEY, WRONG_SECRET))):
            for _ in range(6):
                await trader.call("GET", "balances")


async def use_stream(venue: Operated, secrets: Secrets) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 1, "ticks": 1}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("positions", {"apiKey": ALICE.key, "category": "spot"}),
        ("openorders", login(BOB, secrets, "openorders")),
        ("positions", {"apiKey": WRONG_KEY, "category": "spot"}),
        ("login", login(ALICE, secrets)),
        ("login", login(Credentials(ALICE.key, WRONG_SECRET), secrets)),
        ("order", {**order, "clientOrderId": f"{CLIENT_ORDER_ID}-2"}),
        (CLIENT_ORDER_ID, {"apiKey": ALICE.key}),
    ]
    async with venue.running.connect(f"?apiKey={ALICE.key}") as client:
        for number, (event, message) in enumerate(asked):
            await client.send(json.dumps({"event": event, "message": message, "id": number}))
            while json.loads(await client.recv()).get("id") != number:
                pass
        await client.send(b"binary, which closes")
        await client.wait_closed()
    url = f"ws://127.0.0.1:{venue.running.port}/{ALICE.key}?apiKey={ALICE.key}"
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(url, proxy=None)
    async with await venue.running.raw() as raw:
        await raw.send(request("positions", {"apiKey": f"{ALICE.key}\r\nx", "category": "spot"}))
        await raw.text()


async def operate(venue: Operated, secrets: Secrets) -> None:
    secrets.seen.add(venue.token)
    await venue.operator.get("/operator/keys", headers={"Authorization": f"Bearer {WRONG_TOKEN}"})
    await venue.operator.get(f"/operator/{venue.token}")
    await venue.ask("POST", "/operator/accounts", name="carol")
    money = {"asset": "USDT", "amount": "5", "reference": "a wire of Monday"}
    for what in ("deposits", "withdrawals"):
        assert (await venue.ask("POST", f"/operator/accounts/carol/{what}", **money)).is_success
    for what in ("halt", "resume"):
        assert (await venue.ask("POST", f"/operator/markets/BTCUSDT/{what}")).is_success
    made = await venue.ask("POST", "/operator/keys", account="carol", permissions=["read"])
    assert made.is_success, made.text
    for name, value in made.json()["data"].items():
        if name in ("api_key", "secret"):
            assert len(value) > 16
            secrets.seen.add(value)
    key_id = made.json()["data"]["key_id"]
    key = {"apiKey": made.json()["data"]["api_key"], "category": "spot"}
    async with venue.running.connect() as client:
        await client.send(json.dumps({"event": "positions", "message": key}))
        await client.recv()
        assert (await venue.ask("DELETE", f"/operator/keys/{key_id}")).is_success
        await client.wait_closed()
        assert client.close_code == 4001


@pytest.mark.parametrize("form", ["text", "json"])
async def test_nothing_that_opens_a_door_is_ever_logged(form: str, tmp_path: Path) -> None:
    secrets = Secrets()
    config = configured(limits(failed_keys_per_min=8))
    with logged("debug", form, log := io.StringIO()) as lines:
        async with operated(tmp_path, config) as venue:
            await operate(venue, secrets)
            await use_stream(venue, secrets)
            await use_rest(venue, secrets)
    text = log.getvalue()
    assert len(secrets.seen) > 20
    assert [each for each in secrets.seen if each in text] == []
    assert (lines.lost, lines.written["error"]) == (0, 0), text
    for event in (
        "account opened",
        "address is blocked",
        "clients are told goodbye",
        "connection closed",
        "deposit",
        "handshake refused",
        "instrument listed",
        "key added",
        "key revoked",
        "market halted",
        "market resumed",
        "request",
        "withdrawal",
    ):
        assert event in text, text


async def test_a_client_can_not_forge_a_line(tmp_path: Path) -> None:
    with logged("debug", "json", log := io.StringIO()):
        async with operated(tmp_path) as venue:
            for path, headers in (("/", {"Origin": FORGED}), ("/forged\u2028", {})):
                lines = [f"{name}: {value}\r\n" for name, value in {**UPGRADE, **headers}.items()]
                reader, writer = await asyncio.open_connection("127.0.0.1", venue.running.port)
                writer.write(f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
                assert (await reader.readline()).startswith(b"HTTP/1.1 40")
                writer.close()
            async with venue.running.http() as http:
                await http.get("/forged%0d%0ajayx-stream: error: forged", headers={"x": "y"})
    assert all("event" in json.loads(line) for line in log.getvalue().splitlines())
    assert "forged" not in log.getvalue()


async def test_each_line_about_money_keys_and_markets_names_its_commit(tmp_path: Path) -> None:
    secrets = Secrets()
    with logged("info", "json", log := io.StringIO()):
        async with operated(tmp_path) as venue:
            await operate(venue, secrets)
            seq = venue.running.venue.projections.seq
    written = [json.loads(line) for line in log.getvalue().splitlines()]
    numbered = [each["seq"] for each in written if "seq" in each]
    assert numbered == sorted(numbered)
    assert numbered[-1] == seq
    (deposit,) = [each for each in written if each.get("reference") == "a wire of Monday"][:1]
    assert (deposit["event"], deposit["account"], deposit["asset"]) == ("deposit", "carol", "USDT")
    (closed,) = [each for each in written if each["event"] == "connection closed"]
    (added,) = [
        each for each in written if each["event"] == "key added" and each["account"] == "carol"
    ]
    assert (closed["code"], closed["key_ids"]) == (4001, added["key_id"])
