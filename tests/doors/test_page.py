"""The page's files: who gets what, and what the browser is told to do with it."""

import gzip
import re

import httpx
import pytest

from jayx_stream.doors.page import CHARTS
from tests.doors.running import Running, venue


async def fetch(running: Running, path: str, **headers: str) -> httpx.Response:
    async with running.http() as http:
        return await http.get(path, headers=headers)


async def index(running: Running) -> str:
    return (await fetch(running, "/")).text


def named(html: str) -> list[str]:
    """The paths that the page asks for."""
    return re.findall(r'(?:src|href)="(/[^"]*)"', html)


async def test_the_page_and_all_that_it_names_is_served() -> None:
    async with venue() as running:
        paths = named(await index(running))
        assert len(set(paths)) == 4
        for path in paths:
            answer = await fetch(running, path)
            assert answer.status_code == 200, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        (charts,) = (path for path in paths if path.endswith(CHARTS))
        assert "TradingView Lightweight Charts" in (await fetch(running, charts)).text[:100]


async def test_all_that_the_modules_import_is_served() -> None:
    async with venue() as running:
        (app,) = (path for path in named(await index(running)) if path.endswith("app.js"))
        seen, wanted = set[str](), {app}
        while wanted:
            path = wanted.pop()
            seen.add(path)
            answer = await fetch(running, path)
            assert answer.status_code == 200, path
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            for name in re.findall(r'from "\./([^"]+)"', answer.text):
                wanted |= {path.rsplit("/", 1)[0] + "/" + name} - seen
        assert len(seen) > 10


async def test_the_page_may_talk_to_this_server_only() -> None:
    async with venue() as running:
        policy = (await fetch(running, "/")).headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        host = f"127.0.0.1:{running.port}"
        assert rules["connect-src"] == f"'self' ws://{host} wss://{host}"
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert rules["frame-ancestors"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == "'self'"


async def test_a_host_that_would_change_the_policy_is_not_in_it() -> None:
    async with venue() as running:
        answer = await fetch(running, "/", Host="evil; script-src *")
        assert "evil" not in answer.headers["Content-Security-Policy"]


async def test_there_is_nothing_inline_in_the_page() -> None:
    async with venue() as running:
        html = await index(running)
        assert not re.search(r"<style|<script(?![^>]*src=)|\son\w+=|\sstyle=", html)


async def test_what_has_its_version_in_its_path_is_kept_for_ever_and_the_page_is_asked_for() -> (
    None
):
    async with venue() as running:
        page = await fetch(running, "/")
        assert page.headers["Cache-Control"] == "no-cache"
        file = await fetch(running, named(page.text)[0])
        assert "immutable" in file.headers["Cache-Control"]
        for path, answer in (("/", page), (named(page.text)[0], file)):
            again = await fetch(running, path, **{"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")


async def test_files_are_packed_for_those_who_can_unpack_them() -> None:
    async with venue() as running:
        (path,) = (path for path in named(await index(running)) if path.endswith(CHARTS))
        async with running.http() as http:
            async with http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
                packed = b"".join([chunk async for chunk in answer.aiter_raw()])
        plain = await fetch(running, path, **{"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(packed) == plain.content
        assert len(packed) < len(plain.content) / 2


async def test_what_answers_at_the_root_is_sent_as_it_is() -> None:
    async with venue() as running:
        page = await fetch(running, "/", **{"Accept-Encoding": "gzip, br"})
        assert "Content-Encoding" not in page.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/{version}/index.html",
        "/static/{version}/nothing.js",
        "/static/{version}/..%2fapp.js",
        "/static/{version}/%2e%2e/doors/page.py",
        "/static/old/app.js",
        "/static/app.js",
        "/static/",
    ],
)
async def test_other_paths_lead_nowhere(path: str) -> None:
    async with venue() as running:
        version = named(await index(running))[0].split("/")[2]
        answer = await fetch(running, path.replace("{version}", version))
        assert (answer.status_code, answer.json()["code"]) == (404, "BAD_REQUEST")


async def test_a_handshake_that_lost_its_upgrade_is_told_so() -> None:
    async with venue() as running:
        answer = await fetch(running, "/", **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert answer.status_code == 426
        assert "Upgrade" in answer.json()["message"]
