"""The user's document, on the wire: its requests as they stand there, its answers byte for byte."""

import json
from pathlib import Path

import pytest

from jayx_stream.journal import Journal
from jayx_stream.journal.memory import MemoryJournal
from jayx_stream.journal.sqlite import SqliteJournal
from tests.doors.raw import RawClient, frame, request, text
from tests.doors.running import TIME_MS, Running, venue

KLINE = '{ "category": "spot", "symbol": "BTCUSDT", "interval": "60" }'
ORDERBOOK = '{ "category": "spot", "symbol": "BTCUSDT", "precise": "1" }'
POSITIONS = '{ "apiKey": "clmsionk21ru", "category": "spot" }'
OPENORDERS = '{ "apiKey": "clmsionk21ru", "category": "spot", "symbol": "BTCUSDT" }'
"""As the document has them."""


async def trade(running: Running, *fills: tuple[int, int]) -> None:
    """Bob takes what alice offers: lots and ticks of each fill."""
    async with running.traders() as (alice, bob):
        for lots, ticks in fills:
            await alice.place("SELL", lots, ticks)
            await bob.place("BUY", lots, ticks)


def enveloped(event: str, message: str, stream: str, seq: int, more: str = "") -> str:
    return (
        f'{{"event":"{event}","message":{message},"stream":"{stream}",'
        f'"seq":{seq},"ts":{TIME_MS}{more}}}'
    )


async def test_the_documents_kline_comes_out_byte_for_byte() -> None:
    example = (
        '{"add":null,"modify":{"_id":"664a16fccb5c1735c25557a0","created":1716131580,'
        '"o":6678147,"h":6690062,"l":6674783,"c":6689523,"v":241690,"m":1716131619,'
        '"symbol":"BTCUSDT"}}'
    )
    async with venue() as running:
        await trade(running, (1, 6678147), (1, 6690062), (1, 6674783), (241687, 6689523))
        async with await running.raw() as client:
            await client.send(text(f'{{"event": "kline", "message": {KLINE}}}'))
            seq = running.venue.projections.seq
            assert await client.text() == enveloped("kline", example, "kline:spot:BTCUSDT:60", seq)


async def test_each_of_the_documents_requests_is_answered_in_its_form() -> None:
    async with venue() as running:
        async with running.traders() as (alice, _):
            await alice.place("BUY", 1000000, 100000)
            order, seq = await alice.place("SELL", 1004817, 6684363)
        answers = {
            ("kline", KLINE): ("kline:spot:BTCUSDT:60", '{"add":null,"modify":null}', ""),
            ("orderbook", ORDERBOOK): (
                "orderbook:spot:BTCUSDT:1",
                '{"orderBook":{"asks":[{"ticks":6684363,"lots":1004817,"count":1}],'
                '"bids":[{"ticks":100000,"lots":1000000,"count":1}]},"trades":[]}',
                ',"trade":0',
            ),
            ("positions", POSITIONS): (
                "positions:spot@alice",
                '{"spot":[{"asset":"BTC","balance":"100","available":"98.995183"},'
                '{"asset":"USDT","balance":"1000000","available":"999000"}]}',
                "",
            ),
            ("openorders", OPENORDERS): (
                "openorders:spot:BTCUSDT@alice",
                '{"cancel":[],"modify":['
                f'{{"id":{order["id"] - 1},"type":"LIMIT","state":"NEW","side":"BUY",'
                '"resd":1000000,"exec":0,"cost":0,"lastLots":null,"lastTicks":null,'
                f'"created":{TIME_MS},"modified":{TIME_MS},"symbol":"BTCUSDT",'
                '"price":"1000","quantity":"1"},'
                f'{{"id":{order["id"]},"type":"LIMIT","state":"NEW","side":"SELL",'
                '"resd":1004817,"exec":0,"cost":0,"lastLots":null,"lastTicks":null,'
                f'"created":{TIME_MS},"modified":{TIME_MS},"symbol":"BTCUSDT",'
                '"price":"66843.63","quantity":"1.004817"}]}',
                "",
            ),
        }
        epoch = running.venue.epoch
        async with await running.raw() as client, await running.raw("?envelope=none") as bare:
            for (event, message), (stream, payload, more) in answers.items():
                asked = text(f'{{"event": "{event}", "message": {message}, "id": 7}}')
                ack = (
                    f'{{"event":"ack","id":7,"message":{{"stream":"{stream}","epoch":"{epoch}"}}}}'
                )
                await client.send(asked)
                assert await client.text() == ack
                assert await client.text() == enveloped(event, payload, stream, seq, more)
                await bare.send(asked)
                assert await bare.text() == ack
                assert await bare.text() == payload


async def test_trades_stand_in_the_book_newest_first_in_the_documents_form() -> None:
    async with venue() as running:
        await trade(running, (591, 6670338), (3779, 6667418))
        async with await running.raw("?envelope=none") as bare:
            await bare.send(text(f'{{"event": "orderbook", "message": {ORDERBOOK}}}'))
            assert await bare.text() == (
                '{"orderBook":{"asks":[],"bids":[]},"trades":['
                f'{{"lots":3779,"ticks":6667418,"side":"BUY","created":{TIME_MS}}},'
                f'{{"lots":591,"ticks":6670338,"side":"BUY","created":{TIME_MS}}}]}}'
            )


async def test_data_is_taken_in_place_of_message() -> None:
    async with venue() as running, await running.raw() as client:
        await client.send(text(f'{{"event": "positions", "data": {POSITIONS}}}'))
        assert (await client.json())["stream"] == "positions:spot@alice"


async def test_a_request_without_an_id_gets_no_ack() -> None:
    async with venue() as running, await running.raw() as client:
        await client.send(text(f'{{"event": "kline", "message": {KLINE}}}'))
        assert (await client.json())["event"] == "kline"


async def test_a_batch_is_answered_in_order_as_if_sent_one_by_one() -> None:
    batch = (
        f'[{{"event":"kline","message":{KLINE},"id":1}},'
        '{"event":"nonsense","message":{},"id":"two"},'
        '{"event":"subscriptions","message":{},"id":3},{"event":"ping","id":4}]'
    )
    async with venue() as running, await running.raw() as client:
        await client.send(text(batch))
        answers = [await client.json() for _ in range(5)]
        assert [(each["event"], each.get("id")) for each in answers] == [
            ("ack", 1),
            ("kline", None),
            ("error", "two"),
            ("ack", 3),
            ("pong", 4),
        ]
        assert answers[3]["message"] == {"streams": ["kline:spot:BTCUSDT:60"]}


async def test_a_text_in_fragments_is_one_request() -> None:
    whole = f'{{"event":"kline","message":{KLINE},"id":"é"}}'.encode()
    cut = whole.index("é".encode()) + 1
    async with venue() as running, await running.raw() as client:
        await client.send(frame(1, whole[:cut], fin=False))
        await client.send(frame(9, b"between"))
        assert await client.opcode_and_payload() == (10, b"between")
        await client.send(frame(0, whole[cut:]))
        assert (await client.json())["id"] == "é"


async def test_fields_that_mean_nothing_are_named_in_the_ack() -> None:
    async with venue() as running, await running.raw() as client:
        await client.send(request("kline", {**json.loads(KLINE), "color": "red"}, 1))
        assert (await client.json())["message"]["ignored"] == ["color"]


async def test_subscribing_again_sends_the_state_again_and_makes_no_second_stream() -> None:
    async with venue() as running, running.traders() as (alice, _):
        async with await running.raw() as client:
            for _ in range(2):
                await client.send(text(f'{{"event":"positions","message":{POSITIONS},"id":1}}'))
                assert (await client.json())["event"] == "ack"
                assert (await client.json())["event"] == "positions"
            await alice.place("BUY", 1, 100)
            await client.send(request("ping", {}))
            assert (await client.json())["event"] == "positions"
            assert (await client.json())["event"] == "pong"


async def test_after_unsubscribe_nothing_is_pushed() -> None:
    async with venue() as running, running.traders() as (alice, _), await running.raw() as client:
        await client.send(text(f'{{"event":"orderbook","message":{ORDERBOOK}}}'))
        await client.send(text(f'{{"event":"positions","message":{POSITIONS}}}'))
        await client.send(request("unsubscribe", {"stream": "positions:spot@alice"}, 1))
        by_event = {**json.loads(ORDERBOOK), "event": "orderbook"}
        await client.send(request("unsubscribe", by_event, 2))
        events = [(await client.json())["event"] for _ in range(4)]
        assert sorted(events) == ["ack", "ack", "orderbook", "positions"]
        await alice.place("BUY", 1, 100)
        await client.send(request("subscriptions", {}, 3))
        assert await client.json() == {"event": "ack", "id": 3, "message": {"streams": []}}


async def test_readers_of_a_stream_get_the_very_same_bytes() -> None:
    async with venue() as running, running.traders() as (alice, bob):
        async with await running.raw() as one, await running.raw() as other:
            for client in (one, other):
                for event, message in (("orderbook", ORDERBOOK), ("openorders", OPENORDERS)):
                    await client.send(text(f'{{"event":"{event}","message":{message}}}'))
                    await client.frame()
            for lots in range(1, 6):
                await alice.place("SELL", lots, 1000 + lots)
                await bob.place("BUY", lots, 1000 + lots)
            for _ in range(20):
                assert await one.frame() == await other.frame()


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    """Every make of the journal."""
    return MemoryJournal() if request.param == "memory" else await SqliteJournal.open(tmp_path)


async def pushes(client: RawClient, seq: int, count: int) -> dict[str, object]:
    """The next pushes, which all reflect one commit: payloads by event."""
    messages = [await client.json() for _ in range(count)]
    assert [message["seq"] for message in messages] == [seq] * count
    return {message["event"]: message["message"] for message in messages}


async def test_a_trade_is_seen_on_all_streams_under_the_seq_of_its_answer(
    journal: Journal,
) -> None:
    async with venue(journal=journal) as running, running.traders() as (alice, bob):
        async with await running.raw() as client:
            for event, message in (
                ("kline", KLINE),
                ("orderbook", ORDERBOOK),
                ("positions", POSITIONS),
                ("openorders", OPENORDERS),
            ):
                await client.send(text(f'{{"event":"{event}","message":{message}}}'))
                await client.json()

            order, seq = await alice.place("SELL", 500_000, 6_000_000, clientOrderId="mine")
            told = {name: value for name, value in order.items() if name != "clientOrderId"}
            seen = await pushes(client, seq, 3)
            assert seen["openorders"] == {"cancel": [], "modify": [told]}
            assert (await alice.done("GET", f"order?id={order['id']}")) == (order, seq)

            taken, seq = await bob.place("BUY", 200_000, 6_000_000, type="IOC")
            assert (taken["state"], taken["exec"]) == ("FILLED", 200_000)
            seen = await pushes(client, seq, 4)
            assert seen["kline"] == {
                "add": None,
                "modify": {
                    "_id": "664a16fccb5c1735c25557a0",
                    "created": 1716131580,
                    **dict.fromkeys("ohlc", 6_000_000),
                    "v": 200_000,
                    "m": 1716131619,
                    "symbol": "BTCUSDT",
                },
            }
            filled = {
                **told,
                "state": "PARTIALLY_FILLED",
                "resd": 300_000,
                "exec": 200_000,
                "cost": 200_000 * 6_000_000,
                "lastLots": 200_000,
                "lastTicks": 6_000_000,
            }
            assert seen["openorders"] == {"cancel": [], "modify": [filled]}
            fee, usdt = 12_000 * 0.002, 12_000
            assert seen["positions"] == {
                "spot": [
                    {"asset": "BTC", "balance": "99.8", "available": "99.5"},
                    {"asset": "USDT", **dict.fromkeys(("balance", "available"), "1011976")},
                ]
            }
            assert 1_000_000 + usdt - fee == 1_011_976
            assert (await alice.done("GET", "balances")) == (seen["positions"], seq)

            canceled, seq = await alice.cancel(order["id"])
            assert canceled["state"] == "CANCELED"
            seen = await pushes(client, seq, 3)
            gone = {**filled, "state": "CANCELED", "resd": 0}
            assert seen["openorders"] == {"cancel": [gone], "modify": []}
            assert (await alice.done("GET", "openorders")) == ([], seq)


async def test_a_reader_that_connects_later_starts_from_the_same_state() -> None:
    async with venue() as running, running.traders() as (alice, _):
        _, seq = await alice.place("SELL", 5, 1000)
        async with running.connect() as client:
            for event, message in (("orderbook", ORDERBOOK), ("openorders", OPENORDERS)):
                await client.send(f'{{"event":"{event}","message":{message}}}')
                assert json.loads(await client.recv())["seq"] == seq
