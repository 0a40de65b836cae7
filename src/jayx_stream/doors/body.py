"""The bodies of HTTP requests. Rule: no more is kept, or waited for, than the limits allow."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits


class BodyError(ProtocolError):
    """The body is not wanted, or did not come: the connection ends with the answer."""


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body. Raises BodyError before more is kept, or waited for, than is allowed."""
    body, limit_bytes, limit_s = b"", limits.request_bytes, limits.handshake_s
    try:
        async with asyncio.timeout(limit_s or None):
            async for chunk in request.stream():
                body += chunk
                if 0 < limit_bytes < len(body):
                    reason = f"the body has more than {limit_bytes} bytes"
                    raise BodyError(ErrorCode.BAD_REQUEST, reason)
    except TimeoutError:
        reason = f"the body did not come within {limit_s} s"
        raise BodyError(ErrorCode.BAD_REQUEST, reason) from None
    except ClientDisconnect:
        # Nobody hears this; but a client that leaves is not our fault, and not to be logged as one.
        raise BodyError(ErrorCode.BAD_REQUEST, "the body never came") from None
    return body
