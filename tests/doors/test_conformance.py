"""Any request is answered as the document says: schemathesis makes them of the document itself, good
and bad ones, and sends them to a venue that is served. With TORTURE=full there are far more.
"""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import requests
import schemathesis
import uvloop
from requests.auth import AuthBase

from jayx_stream.model.units import COUNT_MAX
from tests.doors.running import BTCUSDT, configured, limits, venue
from tests.doors.told import REFERENCE
from tests.doors.trader import ALICE, signed

EXAMPLES = 400 if os.environ.get("TORTURE") == "full" else 10

SYMBOLS = ["BTCUSDT", "ETHUSDT"]
LOTS = 100
"""Of each order that is there from the beginning; their numbers are 1 to 3."""
KNOWN = {"symbol": SYMBOLS, "id": [1, 2, 3]}


def with_words_of_the_venue() -> dict[str, Any]:
    """The document, with the words that `exchangeInfo` names, and each thing in one way only: of what is
    written at random, hardly anything would be an order.
    """
    reference: dict[str, Any] = json.loads(json.dumps(REFERENCE))
    for questions in reference["paths"].values():
        for operation in questions.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in KNOWN:
                    parameter["schema"]["enum"] = KNOWN[parameter["name"]]
    order = reference["components"]["schemas"]["OrderRequest"]
    order["required"] = ["symbol", "side", "type", "lots", "ticks"]
    for name in ("market", "quantity", "price"):
        del order["properties"][name]
    order["properties"] |= {
        "symbol": {"enum": SYMBOLS},
        "lots": {"type": "integer", "minimum": BTCUSDT.min_lots, "maximum": BTCUSDT.max_lots},
        "ticks": {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
    }
    amend = reference["components"]["schemas"]["AmendRequest"]
    amend["required"] = ["id", "lots"]
    amend["properties"] = {
        "id": {"enum": KNOWN["id"]},
        "lots": {"type": "integer", "minimum": 1, "maximum": LOTS},
    }
    return reference


SCHEMA = schemathesis.openapi.from_dict(
    with_words_of_the_venue(),
    config=schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {"max-examples": EXAMPLES, "database": "none"},
            "checks": {
                # What is a good price or size, types don't say, nor that it can be paid.
                "positive_data_acceptance": {"enabled": False},
            },
        }
    ),
)


class Signing(AuthBase):
    """Alice's signature, of whatever is sent; a header that is left out on purpose stays so."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        assert isinstance(content, bytes)
        signature = signed(ALICE, request.method or "", request.path_url, content)
        request.headers.update(
            {name: signature[name] for name in signature if name in request.headers}
        )
        return request


async def serve(origin: Future[str], stop: Future[None]) -> None:
    """A venue with a book and trades, until it is told to stop."""
    async with venue(configured(limits())) as running:
        async with running.traders() as (alice, bob):
            for ticks in (1000, 1001, 1002):
                await alice.place("SELL", LOTS, ticks, clientOrderId=f"sold at {ticks}")
            await bob.place("BUY", LOTS + LOTS // 2, 1002)
        origin.set_result(running.origin)
        await asyncio.wrap_future(stop)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Served in a thread of its own: schemathesis waits for answers."""
    told: Future[str] = Future()
    stop: Future[None] = Future()
    thread = threading.Thread(target=lambda: uvloop.run(serve(told, stop)))
    thread.start()
    try:
        yield told.result(timeout=10)
    finally:
        stop.set_result(None)
        thread.join()


@SCHEMA.parametrize()
def test_any_request_is_answered_as_the_document_says(
    case: schemathesis.Case[Any], origin: str
) -> None:
    case.call_and_validate(base_url=origin, auth=Signing())
