"""The live page (`web/`): served from the wheel, from this origin alone, without a network behind it.

Rule: the page asks nobody but this server for anything, and the browser is told to hold it to that.
"""

import gzip
import re
from hashlib import sha256
from http import HTTPStatus
from importlib import resources
from importlib.util import find_spec
from pathlib import Path, PurePath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors.query import refusal
from jayx_stream.model.reasons import ErrorCode

CHARTS = "lightweight-charts.js"
"""TradingView's, under the Apache license 2.0; in the package `litecharts`."""

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

FOREVER = "public, max-age=31536000, immutable"
"""For what has its version in its path."""

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_VERSION = b"{version}"


class File:
    """One file of the page, with what is told about it."""

    def __init__(self, name: str, content: bytes, *, is_packed: bool) -> None:
        self.content = content
        self.packed = gzip.compress(content, mtime=0) if is_packed else None
        self.media_type = MEDIA_TYPES[PurePath(name).suffix]
        self.etag = f'"{sha256(content).hexdigest()[:20]}"'

    def response(self, request: Request, cache: str) -> Response:
        """The file, or that the browser has it already."""
        headers = {
            "Cache-Control": cache,
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
        }
        if self.etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        content = self.content
        if self.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            content = self.packed
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=self.media_type)


class Page:
    """Answers for `/` and what the page is made of."""

    def __init__(self) -> None:
        contents = {
            each.name: each.read_bytes()
            for each in sorted(_web().iterdir())
            if each.suffix in MEDIA_TYPES
        }
        contents[CHARTS] = _charts().read_bytes()
        digest = sha256()
        for name, content in sorted(contents.items()):
            digest.update(f"{name} {len(content)} ".encode() + content)
        self.version = digest.hexdigest()[:12]
        """Of all files together: a path with another version leads nowhere."""
        index = contents.pop("index.html").replace(_VERSION, self.version.encode())
        # As it is: what answers at `/` is what scanners for BREACH look at, and what a page may one day
        # hold of a reader's must not be told by its length.
        self._index = File("index.html", index, is_packed=False)
        self._files = {
            name: File(name, content, is_packed=True) for name, content in contents.items()
        }

    def routes(self) -> list[Route]:
        """`/` and `/static`."""
        return [
            Route("/", self.index),
            Route("/static/{version}/{name}", self.file),
        ]

    async def index(self, request: Request) -> Response:
        """The page. Who meant a WebSocket, and lost the upgrade on the way, is told so."""
        if "Sec-WebSocket-Key" in request.headers:
            reason = "a WebSocket handshake without its Upgrade; a proxy may have dropped it"
            return refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.UPGRADE_REQUIRED)
        response = self._index.response(request, "no-cache")
        response.headers["Content-Security-Policy"] = _policy(request.headers.get("Host", ""))
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    async def file(self, request: Request) -> Response:
        """A script, a style or a picture."""
        file = self._files.get(request.path_params["name"])
        if file is None or request.path_params["version"] != self.version:
            reason = f"nothing at GET {request.url.path}; the page at / says what there is"
            return refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.NOT_FOUND)
        return file.response(request, FOREVER)


def _policy(host: str) -> str:
    """What the page may do. Not every browser counts a WebSocket to its own host as its own."""
    own = "'self'"
    if _HOST.fullmatch(host):
        own += f" ws://{host} wss://{host}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {own}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _web() -> Path:
    return Path(str(resources.files("jayx_stream"))) / "web"


def _charts() -> Path:
    # Found, not imported: the package is Python around the one file that is wanted.
    spec = find_spec("litecharts")
    assert spec is not None and spec.origin is not None, "litecharts is not installed"  # noqa: PT018
    return Path(spec.origin).parent / "js" / CHARTS
