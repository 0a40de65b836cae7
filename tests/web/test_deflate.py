"""The page in a real browser, which offers compression by itself."""

import pytest
from playwright.async_api import Browser

from jayx_stream.model.order import Side
from tests.doors.running import configured, venue
from tests.web.browser import looking_at, needs_chromium
from tests.web.test_page import assert_shows_the_book, furnish, place

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


async def test_a_browser_reads_a_compressed_book(browser: Browser) -> None:
    async with venue(configured(deflate=True)) as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            assert all(each.takes_deflated for each in running.connections)
            await assert_shows_the_book(page, running)
            for step in range(10):
                await place(running, "alice", Side.BUY, 5000 + step, 6_000_010 + step)
            await assert_shows_the_book(page, running)
