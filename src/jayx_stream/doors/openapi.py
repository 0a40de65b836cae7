"""The REST reference: an OpenAPI 3.1 document, made of the tables that are routed and the structs that
are encoded. Rule: no fact stands here that stands there.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream import __version__
from jayx_stream.doors.query import RECV_WINDOW, RETRY_AFTER_S, status_of
from jayx_stream.doors.rates import FREE_PATHS
from jayx_stream.doors.routes import Endpoint, Parameter, Table
from jayx_stream.doors.texts import field_texts, member_texts, structs_in
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.messages import encode
from jayx_stream.wire.trading import RestAnswer, RestRefusal

Json = dict[str, Any]

PATH = "/api/v1/openapi.json"

SIGNATURE_REFUSALS = (
    ErrorCode.UNAUTHORIZED,
    ErrorCode.FORBIDDEN,
    ErrorCode.RATE_LIMITED,
    ErrorCode.UNAVAILABLE,
)
BODY_REFUSALS = (ErrorCode.BAD_JSON, ErrorCode.BAD_REQUEST)
EVERYWHERE = (ErrorCode.INTERNAL,)

HEADERS = {
    "JAYX-ACCESS-KEY": "The API key.",
    "JAYX-ACCESS-TIMESTAMP": "Milliseconds since the epoch, at most `recvWindow` off the server's clock.",
    "JAYX-ACCESS-SIGN": (
        "Base64 of the signature of timestamp + METHOD + path with query + body: HMAC-SHA256 under the"
        " key's secret, or Ed25519 of a key of that kind. Good once."
    ),
}

RATE_HEADERS = {
    "RateLimit-Limit": "Requests at once, after a rest: of the address, or orders of the account.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until all are.",
}
"""Of every answer, if there is such a limit, but for `FREE_PATHS`."""

_ABOUT = """\
An answer is `{"code": "OK", "data": …, "seq": N}`: `seq` is the commit that it reflects, and a stream
that has reached it shows the same. A refusal is `{"code": CODE, "message": REASON, "data": null}`.

Prices are ticks and sizes lots, whole numbers; `exchangeInfo` tells what a tick and a lot are worth,
and every limit. Fields and parameters that mean nothing are passed over.
"""

OPENAPI = Table()


class ReferenceRoute:
    """Answers what `OPENAPI` tells."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    @OPENAPI.answers("GET", PATH, data=Json, in_envelope=False)
    async def reference(self, request: Request) -> Response:
        """This document."""
        return Response(self._text, media_type="application/json")


def reference_routes(*tables: Table) -> list[Route]:
    """The path of the document about these tables."""
    return OPENAPI.routes(ReferenceRoute(document(*tables)))


def document(*tables: Table) -> bytes:
    """The document about these tables, and about itself; JSON."""
    return _document(tuple(each for table in (*tables, OPENAPI) for each in table.endpoints))


@lru_cache(maxsize=4)
def _document(endpoints: tuple[Endpoint, ...]) -> bytes:
    types = [RestAnswer, RestRefusal, *_types(endpoints)]
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip(map(str, types), schemas, strict=True))
    texts = {each.__name__: field_texts(each) for each in structs_in(types)}
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            if field in texts[name]:
                schema["description"] = texts[name][field]
    return encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "jayx-stream", "version": __version__, "description": _ABOUT},
            "servers": [{"url": "/"}],
            "paths": {
                path: {each.method.lower(): _operation(each, by_type) for each in questions}
                for path, questions in _by_path(endpoints)
            },
            "components": {
                "schemas": components,
                "headers": {name: _count_header(text) for name, text in RATE_HEADERS.items()},
                "securitySchemes": {
                    name: {"type": "apiKey", "in": "header", "name": name, "description": text}
                    for name, text in HEADERS.items()
                },
            },
        }
    )


def _operation(endpoint: Endpoint, schemas: Mapping[str, Json]) -> Json:
    about = inspect.cleandoc(endpoint.about).replace("\n", " ")
    summary, _, rest = about.partition(". ")
    operation: Json = {
        "operationId": _camel(endpoint.name),
        "tags": [_tag(endpoint.path)],
        "summary": summary.removesuffix("."),
    }
    if rest:
        operation["description"] = rest
    if endpoint.permission is not None:
        operation["security"] = [{name: [endpoint.permission.value] for name in HEADERS}]
    parameters = _parameters(endpoint)
    if parameters:
        operation["parameters"] = [_parameter(each) for each in parameters]
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[str(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] = {
        "200": _response("What was asked for.", _answer(endpoint, schemas)),
        **{str(status): _refusals(codes) for status, codes in _by_status(_codes(endpoint))},
    }
    if endpoint.path not in FREE_PATHS:
        left = {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_HEADERS}
        for response in operation["responses"].values():
            response["headers"] = {**left, **response.get("headers", {})}
    return operation


def _answer(endpoint: Endpoint, schemas: Mapping[str, Json]) -> Json:
    schema = schemas[str(endpoint.data)]
    if not endpoint.in_envelope:
        return schema
    return {"allOf": [schemas[str(RestAnswer)], {"properties": {"data": schema}}]}


def _parameters(endpoint: Endpoint) -> tuple[Parameter, ...]:
    signed = () if endpoint.permission is None else (RECV_WINDOW,)
    return (*endpoint.parameters, *signed)


def _parameter(parameter: Parameter) -> Json:
    schema: Json = {"type": parameter.type}
    if parameter.allowed:
        schema["enum"] = parameter.allowed
    elif parameter.type == "integer":
        schema |= {"minimum": parameter.least, "maximum": parameter.most}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.about,
        "schema": schema,
    }


def _codes(endpoint: Endpoint) -> set[ErrorCode]:
    """All that the endpoint may answer beside OK."""
    return {
        *(code for parameter in _parameters(endpoint) for code in parameter.refusals),
        *(() if endpoint.body is None else BODY_REFUSALS),
        *(() if endpoint.permission is None else SIGNATURE_REFUSALS),
        *endpoint.refusals,
        *(() if endpoint.path in FREE_PATHS else (ErrorCode.RATE_LIMITED,)),
        *EVERYWHERE,
    }


def _by_status(codes: set[ErrorCode]) -> Iterator[tuple[int, list[ErrorCode]]]:
    listed = [code for code in ErrorCode if code in codes]
    for status, group in groupby(sorted(listed, key=status_of), key=status_of):
        yield status, list(group)


def _refusals(codes: list[ErrorCode]) -> Json:
    """What is answered with one HTTP status: one of `codes`."""
    texts = member_texts(ErrorCode)
    lines = [f"- `{code}`: {texts[code]}" if code in texts else f"- `{code}`" for code in codes]
    refusal = {"$ref": f"#/components/schemas/{RestRefusal.__name__}"}
    schema = {"allOf": [refusal, {"properties": {"code": {"enum": codes}}}]}
    response = _response("\n".join(lines), schema)
    if any(code in RETRY_AFTER_S for code in codes):
        response["headers"] = {"Retry-After": _count_header("Seconds.")}
    return response


def _response(about: str, schema: Json) -> Json:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _count_header(about: str) -> Json:
    return {"description": about, "schema": {"type": "integer", "minimum": 0}}


def _by_path(endpoints: Iterable[Endpoint]) -> Iterator[tuple[str, list[Endpoint]]]:
    paths = dict.fromkeys(map(attrgetter("path"), endpoints))
    for path in paths:
        yield path, [each for each in endpoints if each.path == path]


def _types(endpoints: Iterable[Endpoint]) -> list[Any]:
    return [each for endpoint in endpoints for each in (endpoint.data, endpoint.body) if each]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def _tag(path: str) -> str:
    """`public` of `/api/v1/public/depth`; `server` of whatever is about the server itself."""
    parts = path.split("/")
    return parts[3] if len(parts) > 4 else "server"
