"""Figures: what a scrape of a live venue says is what happened, and what files about it name is there."""

import asyncio
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import websockets
import yaml  # type: ignore[import-untyped]  # it has no types, and one use here

from jayx_stream.app.clock import system_clock
from jayx_stream.app.logs import logged
from jayx_stream.app.venue import EmbeddedVenue
from jayx_stream.journal.sqlite import SqliteJournal
from tests.app.operated import Figures, Operated, operated, sample
from tests.doors.raw import BINARY, frame
from tests.doors.running import configured, limits
from tests.doors.test_slow_readers import ORDERBOOK, place, slow_reader
from tests.doors.trader import ALICE, Credentials, Trader

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "jayx-stream.json"
OPERATING = ROOT / "docs" / "operating.md"

NAME = re.compile(r"\b(?:jayx|process)_[a-z0-9_]+")
SUFFIXES = ("_bucket", "_sum", "_count")


async def settled(venue: Operated, name: str, value: float, **labels: str) -> Figures:
    """The figures once one of them is as it should be: a client may be told before it is counted."""
    async with asyncio.timeout(10):
        while True:
            figures = await venue.scrape()
            if sample(figures, name, **labels) == value:
                return figures
            await asyncio.sleep(0.01)


async def live_a_little(venue: Operated) -> Figures:
    """Something of every kind, and the figures afterwards."""
    async with venue.running.connect() as reader, venue.running.traders() as (alice, bob):
        await reader.send(json.dumps({"event": "orderbook", "message": ORDERBOOK, "id": 1}))
        await reader.recv()
        await alice.place("SELL", 10, 100)
        await bob.place("BUY", 10, 100)
    async with await venue.running.raw() as client:
        await client.send(frame(BINARY, b"x"))
        await client.opcode_and_payload()
    with pytest.raises(websockets.InvalidStatus):
        await venue.running.connect("../nowhere")
    await venue.ask("GET", "/operator/accounts")
    return await settled(venue, "connections", 0, door="websocket")


def names_of(figures: Figures) -> set[str]:
    return {name for name, _ in figures}


def without_suffix(name: str) -> str:
    return next((name.removesuffix(each) for each in SUFFIXES if name.endswith(each)), name)


def expressions(value: Any) -> list[str]:
    """All `expr` of a structure, however deep."""
    if isinstance(value, dict):
        own = [value["expr"]] if isinstance(value.get("expr"), str) else []
        return own + [each for inner in value.values() for each in expressions(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in expressions(inner)]
    return []


async def test_every_figure_that_a_file_names_is_given_by_a_live_venue(tmp_path: Path) -> None:
    with logged("info", "json", io.StringIO()):
        async with operated(tmp_path) as venue:
            given = names_of(await live_a_little(venue))
    rules, dashboard = yaml.safe_load(RULES.read_text()), json.loads(DASHBOARD.read_text())
    for asked in (expressions(rules), expressions(dashboard)):
        named = {name for each in asked for name in NAME.findall(each)}
        assert len(named) > 10
        assert named <= given


async def test_operating_tells_every_figure_and_no_other(tmp_path: Path) -> None:
    with logged("info", "json", io.StringIO()):
        async with operated(tmp_path) as venue:
            given = names_of(await live_a_little(venue))
    table = re.findall(r"^\| (`jayx_.*?) \|", OPERATING.read_text(), re.MULTILINE)
    told = {name for row in table for name in re.findall(r"`(\w+)`", row)}
    assert told == {without_suffix(each) for each in given if each.startswith("jayx_")}


def test_every_rule_says_what_is_wrong_how_badly_and_what_to_do() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert set(rule["annotations"]) == {"summary", "description"}, rule
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s")), rule
        assert rule["expr"].count("(") == rule["expr"].count(")"), rule
    promtool = shutil.which("promtool")
    if promtool is not None:
        subprocess.run([promtool, "check", "rules", RULES], check=True, capture_output=True)


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {
            (at["x"] + right, at["y"] + down) for right in range(at["w"]) for down in range(at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


async def test_pushes_and_their_bytes_are_those_that_the_reader_got(tmp_path: Path) -> None:
    async with operated(tmp_path, configured()) as venue:
        async with venue.running.connect() as reader, venue.running.traders() as (alice, _):
            await reader.send(json.dumps({"event": "orderbook", "message": ORDERBOOK}))
            texts = [await reader.recv()]
            for ticks in (100, 101, 102):
                await alice.place("BUY", 1, ticks)
                texts.append(await reader.recv())
            figures = await venue.scrape()
        head_bytes = 4  # of a frame between 126 bytes and 64 KiB
        frames = sum(len(text) + head_bytes for text in texts)
        assert sample(figures, "pushes_total", event="orderbook") == len(texts)
        assert sample(figures, "pushed_bytes_total", event="orderbook") == frames
        assert sample(figures, "streams", event="orderbook") == 1
        assert sample(figures, "subscriptions", event="orderbook") == 1
        assert sample(figures, "connections", door="websocket") == 1
        assert sample(figures, "fan_out_seconds_count") == 3
        assert sample(figures, "event_lag_seconds_count") == sample(figures, "commit_seconds_count")
        assert sample(figures, "batch_commits_sum") == sample(figures, "seq")
        assert sample(figures, "open_orders") == 3
        assert sample(figures, "ready") == 1


async def test_a_slow_readers_queue_and_merged_pushes_are_seen(tmp_path: Path) -> None:
    async with operated(tmp_path, configured(limits(queue_bytes=20_000))) as venue:
        async with slow_reader(venue.running, "orderbook", ORDERBOOK) as (_, connection):
            ticks = 1
            waiting = merged = figures = None
            # The kernel makes room a few times before it takes no more.
            while not merged or not waiting or waiting != connection.waiting_bytes:
                for _ in range(50):
                    await place(venue.running, ticks)
                    ticks += 1
                figures = await venue.scrape()
                waiting = sample(figures, "queue_bytes", door="websocket")
                merged = sample(figures, "merged_total", event="orderbook")
            assert figures is not None
            assert sample(figures, "queue_largest_bytes", door="websocket") == waiting
            assert sample(figures, "readers_behind", door="websocket") == 1
        figures = await settled(venue, "connections", 0, door="websocket")
        assert sample(figures, "queue_bytes", door="websocket") == 0
        assert sample(figures, "subscriptions", event="orderbook") == 0
        assert sample(figures, "closes_total", door="websocket", code="1006", by="nobody") == 1


async def test_ends_are_counted_by_code_and_by_who_said_it(tmp_path: Path) -> None:
    async with operated(tmp_path) as venue:
        for said in (1000, 4999):
            async with venue.running.connect() as client:
                await client.close(said)
        async with venue.running.connect() as client:
            await client.send(b"binary")
            await client.wait_closed()
        figures = await settled(venue, "connections", 0, door="websocket")
        ends = {"1000": "client", "other": "client", "1003": "server"}
        for code, by in ends.items():
            assert sample(figures, "closes_total", door="websocket", code=code, by=by) == 1, code
        assert sample(figures, "connections_opened_total", door="websocket") == len(ends)


async def test_refused_handshakes_are_counted_by_status(tmp_path: Path) -> None:
    async with operated(tmp_path, configured(limits(connections_per_address=1))) as venue:
        origin = websockets.Origin("https://elsewhere.example")
        refused = [
            websockets.connect(f"ws://127.0.0.1:{venue.running.port}/x", proxy=None),
            websockets.connect(f"ws://127.0.0.1:{venue.running.port}/", origin=origin, proxy=None),
        ]
        for attempt in refused:
            with pytest.raises(websockets.InvalidStatus, match=r"HTTP 40[34]"):
                await attempt
            await settled(venue, "connections", 0, door="websocket")
            async with asyncio.timeout(10):
                while venue.running.seats:
                    await asyncio.sleep(0.01)
        async with venue.running.connect():
            with pytest.raises(websockets.InvalidStatus, match="HTTP 429"):
                await venue.running.connect()
        figures = await venue.scrape()
        for status in ("403", "404", "429"):
            counted = sample(figures, "handshakes_refused_total", door="websocket", status=status)
            assert counted == 1, status


async def test_orders_are_counted_by_what_was_asked_and_answered(tmp_path: Path) -> None:
    async with operated(tmp_path, configured(limits(orders_per_s=3))) as venue:
        async with venue.running.traders() as (alice, bob):
            placed, _ = await alice.place("BUY", 1, 100)
            await alice.cancel(placed["id"])
            body = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 10**8}
            await alice.call("POST", "order", {**body, "ticks": 10**9})
            await alice.call("DELETE", "order?id=77")
            await bob.done("DELETE", "orders")
            for _ in range(4):
                await bob.call("POST", "order", {**body, "lots": 1, "ticks": 1})
        figures = await venue.scrape()
        counted = {
            ("order", "OK"): 4,
            ("order", "INSUFFICIENT_BALANCE"): 1,
            ("order", "RATE_LIMITED"): 1,
            ("cancel", "OK"): 1,
            ("cancel", "UNKNOWN_ORDER"): 1,
            ("cancelAll", "OK"): 1,
            ("amend", "OK"): 0,
        }
        for (request, code), count in counted.items():
            assert sample(figures, "orders_total", request=request, code=code) == count, request
        assert sample(figures, "order_answer_seconds_count") == 8


async def test_the_size_of_the_journal_is_that_of_its_files(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path)
    venue = EmbeddedVenue(configured(), journal, system_clock, tmp_path)
    await venue.recover()
    await venue.start()
    size = sum(
        path.stat().st_size for path in tmp_path.glob("journal.sqlite*") if "shm" not in path.name
    )
    assert venue.metrics.registry.get_sample_value("jayx_journal_bytes") == size > 0
    await venue.stop()


async def test_failed_keys_are_counted(tmp_path: Path) -> None:
    async with operated(tmp_path) as venue:
        async with venue.running.http() as http:
            for who in (Credentials("nobody", "x"), Credentials(ALICE.key, "wrong")):
                await Trader(http, who).call("GET", "balances")
        assert sample(await venue.scrape(), "failed_keys_total") == 2


async def test_no_client_can_make_a_new_series(tmp_path: Path) -> None:
    async with operated(tmp_path) as venue:
        async with venue.running.http() as http:
            for number in range(50):
                await http.request("GET", f"/api/v1/{number}?x={number}")
                await http.request("GET", f"/api/v1/public/depth?symbol=S{number}")
            for method in ("PROPFIND", "REPORT", "LOCK"):
                await http.request(method, "/")
        figures = await venue.scrape()
        unknown = {"port": "public", "method": "GET", "route": "none", "status": "404"}
        depth = {**unknown, "route": "/api/v1/public/depth"}
        assert sample(figures, "http_requests_total", **unknown) == 50
        assert sample(figures, "http_requests_total", **depth) == 50
        other = {**unknown, "method": "other", "route": "/", "status": "405"}
        assert sample(figures, "http_requests_total", **other) == 3
        series = [labels for name, labels in figures if name == "jayx_http_requests_total"]
        assert len(series) < 6


async def test_figures_are_on_the_second_port_alone_and_want_no_token(tmp_path: Path) -> None:
    async with operated(tmp_path) as venue:
        assert (await venue.operator.get("/metrics")).status_code == 200
        assert (await venue.operator.post("/metrics")).status_code == 405
        async with venue.running.http() as http:
            assert (await http.get("/metrics")).status_code == 404
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = await venue.operator.get("/metrics", headers=accept)
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.text.endswith("# EOF\n")
