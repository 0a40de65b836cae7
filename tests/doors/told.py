"""What the served document says of an answer: every answer that a test sees is held against it."""

import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
import jsonschema_rs

from jayx_stream.doors.openapi import document
from jayx_stream.doors.rest import TABLES

REFERENCE: dict[str, Any] = json.loads(document(*TABLES))
PAGE = re.compile(r"/|/static/.*")
SOCKETIO = "/socket.io/"
"""The document does not tell of these."""

_REFUSAL = {"$ref": "#/components/schemas/RestRefusal"}


@cache
def _components() -> dict[str, Any]:
    """The structs' forms, but closed: a field that is not told is a fault."""
    forms: dict[str, Any] = json.loads(json.dumps(REFERENCE["components"]["schemas"]))
    for name, form in forms.items():
        if "properties" in form and name not in ("RestAnswer", "RestRefusal"):
            form["additionalProperties"] = False
    return forms


@cache
def _validator(form: str) -> jsonschema_rs.Validator:
    """Of a form that is given as JSON."""
    whole = {**json.loads(form), "components": {"schemas": _components()}}
    if "allOf" in whole:
        whole["unevaluatedProperties"] = False
    return jsonschema_rs.validator_for({"$schema": _DIALECT, **whole})


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Hold an answer against the document."""
    operation = REFERENCE["paths"].get(path, {}).get(method.lower())
    if operation is None:
        form = _REFUSAL if status >= HTTPStatus.BAD_REQUEST else {}
    else:
        told = operation["responses"]
        assert str(status) in told, f"{method} {path} answers {status}; told are {', '.join(told)}"
        form = told[str(status)]["content"]["application/json"]["schema"]
    assert content_type == "application/json", f"{method} {path} answers {content_type}"
    _validator(json.dumps(form)).validate(json.loads(body))


async def check_response(response: httpx.Response) -> None:
    """For a client's event hooks."""
    request = response.request
    if request.method == "HEAD" or response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return
    path = request.url.path
    if path == SOCKETIO or (PAGE.fullmatch(path) and not response.is_error):
        return
    body = await response.aread()
    content_type = response.headers.get("content-type", "")
    check(request.method, path, response.status_code, content_type, body)
