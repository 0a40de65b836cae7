"""What REST can be asked: each question once, as it is routed, read and documented.

Rule: a path is served because it stands in a table, and what stands there is what `openapi` tells.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.model.key import Permission
from jayx_stream.model.reasons import ErrorCode

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Answering = TypeVar("Answering", bound=Callable[[Any, Request], Awaitable[Response]])


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter of a query; `Query` reads by it."""

    name: str
    about: str
    """A sentence for people."""
    type: Literal["integer", "string"] = "integer"
    least: int = 0
    """Of an integer."""
    most: int = 0
    """Of an integer; at most 2^63 - 1."""
    allowed: tuple[int, ...] = ()
    """If there are any, no other integer is good."""
    default: int | None = None
    required: bool = False
    refusals: tuple[ErrorCode, ...] = (ErrorCode.BAD_REQUEST,)
    """The first one says that the value can't be, or is missing; others what else may be wrong with it."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """A question and its answer."""

    method: Method
    path: str
    name: str
    """Of the Python method that answers, unique among all tables."""
    about: str
    """That method's docstring."""
    parameters: tuple[Parameter, ...]
    body: type[Struct] | None
    data: Any
    """The type of what is answered with HTTP 200."""
    in_envelope: bool
    """Whether it stands as `data` in a `RestAnswer`."""
    permission: Permission | None
    """What a signed request needs; None: open to everyone."""
    refusals: tuple[ErrorCode, ...]
    """Beside those of parameters, body and signature."""


class Table:
    """The questions that one class answers, in the order in which its methods stand."""

    def __init__(self) -> None:
        self._endpoints: list[Endpoint] = []

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All of them."""
        return tuple(self._endpoints)

    def answers(
        self,
        method: Method,
        path: str,
        *parameters: Parameter,
        data: Any,
        body: type[Struct] | None = None,
        in_envelope: bool = True,
        permission: Permission | None = None,
        refusals: tuple[ErrorCode, ...] = (),
    ) -> Callable[[Answering], Answering]:
        """Say which question the method below answers."""

        def described(answering: Answering) -> Answering:
            assert answering.__doc__, f"{method} {path} has to say what it answers"
            self._endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    name=answering.__name__,
                    about=answering.__doc__,
                    parameters=parameters,
                    body=body,
                    data=data,
                    in_envelope=in_envelope,
                    permission=permission,
                    refusals=refusals,
                )
            )
            return answering

        return described

    def routes(self, answering: object) -> list[Route]:
        """The table's paths, answered by the methods of an object of its class."""
        return [
            Route(each.path, getattr(answering, each.name), methods=[each.method])
            for each in self._endpoints
        ]
