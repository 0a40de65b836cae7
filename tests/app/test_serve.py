"""`jayx-stream serve` as a process: ready, stopped, killed, and back as if nothing had been."""

import asyncio
import json
import re
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.doors.command import CONFIG, Served, run, served
from tests.doors.trader import ALICE, BOB, Trader, signed

PUBLIC = "/api/v1/public"
SUBSCRIPTION = {"event": "orderbook", "message": {"category": "spot", "symbol": "BTCUSDT"}, "id": 1}


async def state(server: Served) -> dict[str, Any]:
    """All that a restart has to bring back."""
    async with server.http() as http:
        seen: dict[str, Any] = {}
        for who in (ALICE, BOB):
            trader = Trader(http, who)
            for path in ("openorders", "balances", "order?clientOrderId=filled"):
                seen[f"{who.key} {path}"], _ = await trader.done("GET", path)
        for path in ("depth", "trades"):
            answer = await http.get(f"{PUBLIC}/{path}?symbol=BTCUSDT")
            seen[path] = answer.json()["data"]
        klines = await http.get(f"{PUBLIC}/klines?symbol=BTCUSDT&interval=60")
        seen["klines"] = [each for each in klines.json()["data"] if each["v"]]
    async with connect(server) as client:
        await client.send(json.dumps(SUBSCRIPTION))
        seen["epoch"] = json.loads(await client.recv())["message"]["epoch"]
    return seen


def connect(server: Served) -> websockets.connect:
    return websockets.connect(f"ws://127.0.0.1:{server.port}/", proxy=None)


async def trade(http: httpx.AsyncClient) -> int:
    """Some orders and a trade; the last seq."""
    alice, bob = Trader(http, ALICE), Trader(http, BOB)
    await alice.place("SELL", 1000, 6_000_000, clientOrderId="filled")
    await bob.place("BUY", 1000, 6_000_000, clientOrderId="filled")
    await alice.place("SELL", 300, 6_100_000, clientOrderId="resting")
    await bob.place("BUY", 200, 6_100_000)
    _, seq = await bob.place("BUY", 50, 5_900_000)
    return seq


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_told_to_the_clients_and_ends_well(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with served(tmp_path) as server:
        assert server.ready.startswith("jayx-stream ")
        assert f"http://127.0.0.1:{server.port}/api/v1/ for BTCUSDT" in server.ready
        async with connect(server) as client, server.http() as http:
            assert (await http.get("/ready")).status_code == 200
            await client.send(json.dumps(SUBSCRIPTION))
            ack, push = json.loads(await client.recv()), json.loads(await client.recv())
            assert (ack["event"], push["event"]) == ("ack", "orderbook")
            code, output, complaints = await server.end(number)
            notice = json.loads(await client.recv())
            assert (notice["event"], notice["message"]["code"]) == ("notice", "CLOSING")
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001
        assert code == 0, complaints
        assert not re.search("warning|error|Traceback", complaints), complaints
        stopped = re.search(r"has stopped at commit (\d+)\n$", output)
        assert stopped is not None
        assert int(stopped[1]) >= push["seq"], (
            "a minute may have begun meanwhile, but nothing is lost"
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_after_a_restart_everything_is_as_it_was(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with served(tmp_path) as server:
        async with server.http() as http:
            seq = await trade(http)
        before = await state(server)
        await server.end(number)
    assert len(before["trades"]) == 2
    async with served(tmp_path) as server:
        assert await state(server) == before
        async with server.http() as http:
            alice = Trader(http, ALICE)
            order, later = await alice.place("SELL", 1, 7_000_000)
            assert later > seq
            assert order["id"] == 6
            again, _ = await alice.place("SELL", 300, 6_100_000, clientOrderId="resting")
            assert (again["id"], again["exec"]) == (3, 200)


async def test_whatever_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}

    async def place_until_the_end(trader: Trader, worker: int) -> None:
        for number in range(10_000):
            name = f"{worker}-{number}"
            try:
                order, _ = await trader.place("BUY", 1, 100 + number, clientOrderId=name)
            except httpx.TransportError:
                return
            acknowledged[order["id"]] = name

    async with served(tmp_path) as server, server.http() as http:
        trader = Trader(http, ALICE)
        workers = [asyncio.create_task(place_until_the_end(trader, each)) for each in range(8)]
        async with asyncio.timeout(30):
            while len(acknowledged) < 200:
                await asyncio.sleep(0.01)
        await server.end(signal.SIGKILL)
        await asyncio.gather(*workers)

    async with served(tmp_path) as server, server.http() as http:
        found, _ = await Trader(http, ALICE).done("GET", "openorders")
        kept = {order["id"] for order in found}
        assert set(acknowledged) <= kept
        assert kept == set(range(1, len(kept) + 1)), "an order is there in part"
        assert len(kept) <= len(acknowledged) + 8, "an order is there that nobody placed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_used_signature_is_no_good_after_a_restart(
    tmp_path: Path, number: signal.Signals
) -> None:
    target = "/api/v1/trader/order?recvWindow=60000"
    body = b'{"symbol":"BTCUSDT","side":"SELL","type":"LIMIT","lots":1,"ticks":7000000}'
    headers = signed(ALICE, "POST", target, body)
    answers = []
    for _ in range(2):
        async with served(tmp_path) as server:
            async with server.http() as http:
                answers.append(await http.post(target, content=body, headers=headers))
            await server.end(number)
    assert [answer.status_code for answer in answers] == [200, 401]
    assert "used before" in answers[1].json()["message"]


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    config = tmp_path / "venue.toml"
    config.write_text(CONFIG)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output, complaints = await run(
            "serve", "--config", config, "--data-dir", tmp_path, "--port", str(port)
        )
    assert code == 1
    assert output == ""
    assert f"can't listen on 127.0.0.1 port {port}" in complaints
    assert "Traceback" not in complaints


async def test_a_second_process_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        code, _, complaints = await run(
            "serve", "--config", tmp_path / "venue.toml", "--data-dir", tmp_path / "data"
        )
        assert code == 1
        assert "journal.sqlite is in use by another process" in complaints
        assert "Traceback" not in complaints
        async with server.http() as http:
            assert (await http.get("/ready")).status_code == 200


async def test_other_terms_than_the_journal_holds_are_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        await server.end(signal.SIGTERM)
    config = tmp_path / "other.toml"
    config.write_text(CONFIG.replace('tick_size = "0.01"', 'tick_size = "0.1"'))
    code, output, complaints = await run(
        "serve", "--config", config, "--data-dir", tmp_path / "data", "--port", "0"
    )
    assert (code, output) == (1, "")
    assert "BTCUSDT is listed with other assets, tick size or lot size" in complaints
    assert "Traceback" not in complaints


async def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    config = tmp_path / "venue.toml"
    config.write_text(CONFIG)
    code, _, complaints = await run("serve", "--config", config, "--data-dir", config)
    assert code == 1
    assert f"can't make the folder {config}" in complaints
    assert "Traceback" not in complaints
