"""The REST door (protocol §9): all HTTP of the public port that is no WebSocket upgrade.

Rule: whatever is asked, the answer has the form of an answer or of a refusal.
"""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors import Venue
from jayx_stream.doors.body import BodyError
from jayx_stream.doors.openapi import reference_routes
from jayx_stream.doors.public import PUBLIC, public_routes
from jayx_stream.doors.query import refusal
from jayx_stream.doors.trader import TRADER, trader_routes
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.errors import ProtocolError

TABLES = (TRADER, PUBLIC)
"""All that REST can be asked."""


def rest_application(venue: Venue, *others: Route) -> Starlette:
    """What answers; `others` is what is no REST."""
    rest = [*trader_routes(venue), *public_routes(venue), *reference_routes(*TABLES)]
    routes = [*rest, *others]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProtocolError)
        answer = refusal(error.code, error.reason, retry_after_s=error.retry_after_s)
        if isinstance(error, BodyError):
            answer.headers["Connection"] = "close"
        return answer

    async def unknown(request: Request, error: Exception) -> Response:
        path = f"{request.method} {request.url.path}"
        return refusal(ErrorCode.BAD_REQUEST, f"nothing at {path}", HTTPStatus.NOT_FOUND)

    async def wrong_method(request: Request, error: Exception) -> Response:
        path = request.url.path
        reason = f"{path} does not take {request.method}"
        answer = refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.METHOD_NOT_ALLOWED)
        methods = {each for route in routes if route.path == path for each in route.methods or ()}
        answer.headers["Allow"] = ", ".join(sorted(methods))
        return answer

    async def our_fault(request: Request, error: Exception) -> Response:
        return refusal(ErrorCode.INTERNAL, "our fault; it stands in the server's log")

    application = Starlette(
        routes=routes,
        exception_handlers={
            ProtocolError: refused,
            HTTPStatus.NOT_FOUND: unknown,
            HTTPStatus.METHOD_NOT_ALLOWED: wrong_method,
            Exception: our_fault,
        },
    )
    # A path with a slash too much is unknown, not sent on to whatever `Host` says.
    application.router.redirect_slashes = False
    return application
