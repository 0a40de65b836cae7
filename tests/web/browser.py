"""A real browser, headless, that looks at the page, and complains about all that it may not do."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, WebSocket, async_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
DEADLINE_MS = 20_000

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true", reason="chromium is not installed"
)


class Complaints:
    """What a page said that it should not, and whom it asked that it should not."""

    def __init__(self, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self.found: list[str] = []
        self.server_goes = False
        """Set by tests whose server goes: the browser then says that it can't connect."""

    def console(self, message: ConsoleMessage) -> None:
        expected = self.server_goes and message.text.startswith("WebSocket connection to")
        if message.type in ("error", "warning") and not expected:
            self.found.append(message.text)

    def error(self, error: Exception) -> None:
        self.found.append(str(error))

    def request(self, request: Request | WebSocket) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.found.append(f"asked {request.url}")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser, for as many pages as one likes; each has a profile of its own."""
    assert CHROMIUM is not None, "chromium has to be there in CI"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def looking_at(
    browser: Browser,
    origin: str,
    address: str = "",
    *,
    width: int = 1440,
    height: int = 900,
    theme: Literal["light", "dark"] = "dark",
) -> AsyncIterator[tuple[Page, Complaints]]:
    """The page of a server; at the end nothing may have been complained about."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    try:
        context.set_default_timeout(DEADLINE_MS)
        page, complaints = await context.new_page(), Complaints(origin)
        page.on("console", complaints.console)
        page.on("pageerror", complaints.error)
        page.on("request", complaints.request)
        page.on("websocket", complaints.request)
        await page.goto(f"{origin}/{address}")
        await page.wait_for_selector('body[data-state="live"]')
        yield page, complaints
        assert not complaints.found, complaints.found
    finally:
        await context.close()


async def until(page: Page, expression: str, wanted: object) -> None:
    """Wait until an expression has this value in the page; fail with the one that it has."""
    same = f"JSON.stringify({expression}) === JSON.stringify(wanted)"
    try:
        await page.wait_for_function(f"(wanted) => {same}", arg=wanted, timeout=DEADLINE_MS)
    except Exception:
        assert await page.evaluate(expression) == wanted
        raise


def cells(table: str, *names: str) -> str:
    """An expression: texts of these cells in the rows of a table that have any."""
    wanted = ", ".join(f'row.querySelector("td.{name}").textContent' for name in names)
    return (
        f'[...document.querySelectorAll("{table} tr")].map((row) => [{wanted}])'
        ".filter(([first]) => first !== '')"
    )


def drawn(canvas: str) -> str:
    """An expression: how many colours a canvas shows."""
    return f"""(() => {{
      const canvas = document.querySelector("{canvas}");
      const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }})()"""
