"""The REST reference is whole and true: made of the tables that are routed and the structs that are
encoded. (`told` holds every answer of the doors' tests against it, `test_conformance` any request.)
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from msgspec.structs import asdict, fields
from starlette.routing import Route

from jayx_stream.doors.openapi import PATH, document
from jayx_stream.doors.query import refusal, status_of
from jayx_stream.doors.rest import TABLES, rest_application
from jayx_stream.doors.routes import Table
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.limits import Limits
from tests.doors.running import configured, limits, venue
from tests.doors.told import REFERENCE, check

NOT_REST = {"/"}
"""The stream's own path; HTTP says there that it is one."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and text of all that is told."""
    for path, questions in REFERENCE["paths"].items():
        for method, operation in questions.items():
            yield method.upper(), path, operation


def test_the_document_is_openapi() -> None:
    assert REFERENCE["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(REFERENCE).validate()


async def test_what_is_routed_is_told_and_what_is_told_is_routed() -> None:
    async with venue() as running:
        routed = {
            (method, route.path)
            for route in rest_application(running.venue).routes
            if isinstance(route, Route)
            for method in route.methods or ()
            if method != "HEAD" and route.path not in NOT_REST
        }
    assert routed == {(method, path) for method, path, _ in operations()}


async def test_the_document_is_served_as_it_is() -> None:
    async with venue() as running, running.http() as http:
        answer = await http.get(PATH)
    assert answer.content == document(*TABLES)
    assert answer.headers["content-type"] == "application/json"


def test_a_question_without_a_text_has_no_place_in_a_table() -> None:
    table = Table()

    async def silent(self: object, request: object) -> Any:
        raise NotImplementedError

    with pytest.raises(AssertionError, match="GET /silent"):
        table.answers("GET", "/silent", data=int)(silent)
    assert table.endpoints == ()


def test_every_operation_has_a_name_and_says_what_it_does() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"].endswith("."), (method, path, parameter["name"])


def test_every_limit_is_told_by_its_name_and_unit() -> None:
    told = REFERENCE["components"]["schemas"]["LimitsPayload"]["properties"]
    assert len(told) == len(fields(Limits))
    assert all(name.isalnum() for name in told)
    assert {"requestBytes", "ordersPerS", "openOrdersPerAccount", "drainS"} <= set(told)
    assert told["drainS"]["description"].startswith("At most, from the notice")


async def test_exchange_info_tells_every_limit_in_force() -> None:
    async with venue() as running, running.http() as http:
        limits = (await http.get("/api/v1/public/exchangeInfo")).json()["data"]["limits"]
        in_force = asdict(running.venue.limits)
    assert list(limits.values()) == list(in_force.values())
    assert [name.lower() for name in limits] == [name.replace("_", "") for name in in_force]


def test_texts_that_stand_under_fields_are_told() -> None:
    forms = REFERENCE["components"]["schemas"]
    assert forms["TradePayload"]["properties"]["side"]["description"] == "The taker's."
    codes = REFERENCE["paths"]["/ready"]["get"]["responses"]["503"]["description"]
    assert codes.startswith("- `UNAVAILABLE`: The exchange is starting")


def test_a_refusal_is_told_under_its_own_status() -> None:
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            form = response["content"]["application/json"]["schema"]
            if status != "200":
                codes = form["allOf"][1]["properties"]["code"]["enum"]
                assert {int(status)} == {status_of(ErrorCode(code)) for code in codes}, (
                    method,
                    path,
                )


async def test_headers_of_what_is_left_are_told() -> None:
    told = {name.lower() for name in REFERENCE["components"]["headers"]}
    bounds = limits(http_requests_per_s=1, http_requests_burst=1)
    async with venue(configured(bounds)) as running, running.http() as http:
        for status in (200, 429):
            answer = await http.get("/api/v1/public/time")
            assert answer.status_code == status
            assert {name for name in answer.headers if name.startswith("ratelimit-")} == told
            response = REFERENCE["paths"]["/api/v1/public/time"]["get"]["responses"][str(status)]
            names = {name.lower() for name in response["headers"]}
            assert names == told | ({"retry-after"} if status == 429 else set())


def test_an_untold_status_field_or_code_is_a_fault() -> None:
    path = "/api/v1/public/time"
    good = {"code": "OK", "data": {"time": 1, "venueTime": 2}, "seq": 1}
    refused = httpx.Response(404, content=bytes(refusal(ErrorCode.UNKNOWN_SYMBOL, "none").body))

    def judge(status: int, body: object) -> None:
        check("GET", path, status, "application/json", json.dumps(body).encode())

    judge(200, good)
    with pytest.raises(AssertionError, match="answers 404"):
        judge(404, refused.json())
    for bad in (
        {**good, "data": {"time": 1}},
        {**good, "data": {"time": 1, "venueTime": "2"}},
        {**good, "data": {"time": 1, "venueTime": 2, "more": 3}},
        {**good, "more": 1},
        {**good, "code": "FINE"},
    ):
        with pytest.raises(jsonschema_rs.ValidationError):
            judge(200, bad)
    with pytest.raises(jsonschema_rs.ValidationError):
        judge(500, {"code": "BAD_DEPTH", "message": "", "data": None})
