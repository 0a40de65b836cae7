"""The page in a real browser: it draws, follows the market, and comes back after the server did."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from jayx_stream.model.commands import CancelAll, PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import format_decimal
from jayx_stream.model.views import Level
from jayx_stream.wire.channels import ACCOUNT
from tests.doors import command
from tests.doors.running import Running, venue
from tests.doors.trader import ALICE, READER, Trader
from tests.web.browser import DEADLINE_MS, cells, drawn, looking_at, needs_chromium, until

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]

ASKS, BIDS, TAPE = "#asks", "#bids", "#tape-body"


async def place(running: Running, account: str, side: Side, lots: int, ticks: int) -> None:
    answer = await running.venue.submit(
        PlaceOrder(
            account=account,
            symbol="BTCUSDT",
            side=side,
            type=OrderType.LIMIT,
            lots=lots,
            limit_ticks=ticks,
        )
    )
    assert not isinstance(answer, Refused), answer


async def furnish(running: Running) -> None:
    """A book of twelve levels each, and three trades."""
    for step in range(12):
        await place(running, "alice", Side.SELL, 1000 + step, 6_000_100 + 7 * step)
        await place(running, "alice", Side.BUY, 2000 + step, 6_000_000 - 9 * step)
    for lots in (10, 20, 30):
        await place(running, "bob", Side.BUY, lots, 6_000_100)


def price(ticks: int) -> str:
    return f"{ticks / 100:,.2f}"


def told(levels: Sequence[Level]) -> list[list[str]]:
    """Levels as the ladder has to show them."""
    return [[price(level.ticks), format_decimal(level.lots, 6).ljust(8, "0")] for level in levels]


async def assert_shows_the_book(page: Page, running: Running, precise: int = 1) -> None:
    """The ladder's rows are the engine's levels, as many as there is room for."""
    rows = await page.evaluate('document.querySelectorAll("#bids tr").length')
    assert rows >= 10
    book = running.venue.projections.orderbook("BTCUSDT", precise, rows, 0)
    await until(page, cells(ASKS, "price", "size"), told(book.asks)[::-1])
    await until(page, cells(BIDS, "price", "size"), told(book.bids))


async def test_it_draws_the_market(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            await assert_shows_the_book(page, running)
            rows = [["▲ 60,001.00", f"0.0000{lots}"] for lots in (30, 20, 10)]
            await until(page, cells(TAPE, "price", "size"), rows)
            await until(page, 'document.querySelector("#last").textContent', "60,001.00")
            await until(page, 'document.title.startsWith("60,001.00 BTCUSDT")', True)
            await page.wait_for_function(f"{drawn('#curve')} > 5")
            await page.wait_for_function(f"{drawn('#chart canvas')} > 5")
            legend = await page.text_content("#legend")
            assert legend is not None
            assert "C 60,001.00" in legend
            assert "V 0.000060" in legend


async def test_an_empty_market_says_so(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin, "#ETHUSDT/60/1") as (page, _):
            await until(page, 'document.querySelector("#middle").textContent', "–the book is empty")
            assert await page.is_visible("#tape-empty")
            await until(page, 'document.querySelector("#legend").textContent', "No trades yet")


async def test_it_follows_the_market(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            await assert_shows_the_book(page, running)
            for step in range(5):
                await place(running, "bob", Side.SELL, 500 + step, 6_000_000 - 9 * step)
                await assert_shows_the_book(page, running)
            await until(page, f"{cells(TAPE, 'price', 'size')}[0][0]", "▼ 59,999.91")
            await running.venue.submit(CancelAll(account="alice"))
            await assert_shows_the_book(page, running)


async def test_the_choices_show_another_market_interval_and_grouping(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            await assert_shows_the_book(page, running)
            await page.select_option("#precise", "10")
            await assert_shows_the_book(page, running, 10)
            await page.click('#intervals button[value="300"]')
            await page.wait_for_url(re.compile("#BTCUSDT/300/10$"))
            await page.wait_for_selector('button[value="300"][aria-pressed="true"]')
            await page.select_option("#symbol", "ETHUSDT")
            await until(page, 'document.querySelector("#middle").textContent', "–the book is empty")
            await page.go_back()
            await assert_shows_the_book(page, running, 10)
        streams = {"kline:spot:BTCUSDT:60", "orderbook:spot:BTCUSDT:1:depth=200:mode=delta"}
        assert not streams & {each.name for each in running.venue.hub._streams}, "left behind"


async def test_the_keyboard_does_what_its_help_says(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            await page.keyboard.press("2")
            await page.wait_for_selector('button[value="300"][aria-pressed="true"]')
            await page.keyboard.press("]")
            await assert_shows_the_book(page, running, 10)
            await page.keyboard.press("[")
            await assert_shows_the_book(page, running, 1)
            await page.keyboard.press("?")
            assert await page.is_visible("#help")
            await page.keyboard.press("3")
            await page.keyboard.press("Escape")
            assert not await page.is_visible("#help")
            await page.wait_for_selector('button[value="300"][aria-pressed="true"]')
            await page.keyboard.press("b")
            await page.keyboard.type("t1?")
            assert await page.input_value("#key") == "t1?", "typing into a field does nothing else"
            await page.keyboard.press("Escape")
            await page.keyboard.press("m")
            await page.wait_for_url(re.compile("#ETHUSDT/300/1$"))


async def test_light_and_dark_follow_the_system_and_then_the_button(browser: Browser) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    async with venue() as running:
        async with looking_at(browser, running.origin, theme="light") as (page, _):
            assert await page.evaluate(background) == "rgb(238, 241, 244)"
            await page.emulate_media(color_scheme="dark")
            await until(page, background, "rgb(11, 15, 20)")
            await page.click("#theme")
            await until(page, background, "rgb(238, 241, 244)")
            await page.reload()
            await until(page, background, "rgb(238, 241, 244)")


@pytest.mark.parametrize("width", [400, 768, 1000, 1440])
async def test_it_fits_every_width(browser: Browser, width: int) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin, width=width) as (page, _):
            await until(page, "document.documentElement.scrollWidth <= innerWidth", True)
            for part in ("#chart canvas", "#curve", "#bids tr", "#tape-body tr", "#key"):
                assert await page.locator(part).first.is_visible(), part


async def test_every_control_has_a_name_and_every_section_a_title(browser: Browser) -> None:
    nameless = """[...document.querySelectorAll("input, select, button, section, table, canvas#curve")]
      .filter((each) => !(each.getAttribute("aria-label") || each.labels?.length
        || document.getElementById(each.getAttribute("aria-labelledby"))?.textContent.trim()
        || (each.matches("button, .list") && each.textContent.trim())
        || each.closest("#chart, [aria-hidden]")))
      .map((each) => each.outerHTML.slice(0, 80))"""
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            assert await page.evaluate(nameless) == []


async def test_it_survives_a_restart_of_the_server(browser: Browser, tmp_path: Path) -> None:
    async with command.served(tmp_path) as served:
        async with served.http() as http:
            await Trader(http, ALICE).place("BUY", 1234, 5_000_000)
        async with looking_at(browser, f"http://127.0.0.1:{served.port}") as (page, complaints):
            await until(page, cells(BIDS, "price", "size"), [["50,000.00", "0.001234"]])
            complaints.server_goes = True
            await served.end(signal.SIGKILL)
            await page.wait_for_selector('body[data-state="waiting"] .offline:visible')
            shown = await page.evaluate(cells(BIDS, "price", "size"))
            assert shown == [["50,000.00", "0.001234"]], "what was known stays to be seen"
            again = await command.start(
                *("serve", "--config", tmp_path / "venue.toml", "--port", str(served.port)),
                *("--data-dir", tmp_path / "data"),
            )
            try:
                await page.wait_for_selector('body[data-state="live"]', timeout=2 * DEADLINE_MS)
                async with served.http() as http:
                    await Trader(http, ALICE).place("BUY", 77, 5_000_001)
                bids = [["50,000.01", "0.000077"], ["50,000.00", "0.001234"]]
                await until(page, cells(BIDS, "price", "size"), bids)
            finally:
                again.kill()
                await again.communicate()


async def test_it_notices_a_server_that_hangs(browser: Browser, tmp_path: Path) -> None:
    async with command.served(tmp_path) as served:
        origin = f"http://127.0.0.1:{served.port}"
        async with looking_at(browser, origin) as (page, complaints):
            complaints.server_goes = True
            served.process.send_signal(signal.SIGSTOP)
            try:
                await page.wait_for_selector('body[data-state="waiting"]')
            finally:
                served.process.send_signal(signal.SIGCONT)
            await page.wait_for_selector('body[data-state="live"]')
            async with served.http() as http:
                await Trader(http, ALICE).place("BUY", 77, 5_000_001)
            await until(page, cells(BIDS, "price", "size"), [["50,000.01", "0.000077"]])


async def test_a_key_shows_its_account_and_what_happens_to_it(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, _):
            await page.fill("#key", READER.key)
            await page.click("#key-form button")
            await page.wait_for_selector("#balances-body tr")
            balances = cells("#balances-body", "asset", "available")
            await until(page, f"{balances}[1]", ["USDT", "999,996.39994"])
            assert await page.is_visible("#orders-empty")
            await place(running, "bob", Side.BUY, 5000, 6_000_050)
            row = ["BTCUSDT", "▲ Buy", "60,000.50", "0.005", "0 %"]
            shown = cells("#orders-body", "symbol", "side", "price", "size", "done")
            await until(page, shown, [row])
            await until(page, 'document.querySelectorAll("#bids tr.own").length', 1)
            await place(running, "alice", Side.SELL, 1250, 6_000_050)
            await until(page, shown, [[*row[:4], "25 %"]])
            await page.wait_for_selector("text=BUY 0.005 BTCUSDT: 25 % filled")
            await page.click("#forget")
            await until(page, shown, [])
            assert await page.is_visible("#key-form")
            assert not await page.is_visible("#ticket")
        assert not running.venue.hub.streams((ACCOUNT, "bob"))


async def test_what_an_account_did_while_the_page_was_away_is_told(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        await place(running, "bob", Side.BUY, 5000, 6_000_050)
        async with looking_at(browser, running.origin) as (page, complaints):
            complaints.server_goes = True
            await page.fill("#key", READER.key)
            await page.click("#key-form button")
            await page.wait_for_selector("#orders-body tr")
            for connection in running.connections:
                connection.abort()
            # Told by `since` alone: the state of now has no trace of it.
            await place(running, "alice", Side.SELL, 5000, 6_000_050)
            await page.wait_for_selector("text=BUY 0.005 BTCUSDT: filled")
            await until(page, cells("#orders-body", "symbol"), [])


async def test_a_key_that_is_not_known_is_said_to_be_so(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            await page.fill("#key", "nobodyskey")
            await page.click("#key-form button")
            await page.wait_for_selector("text=The key was refused")
            assert await page.is_visible("#key-form")


@pytest.mark.parametrize("keep", [True, False])
async def test_a_key_outlives_the_tab_never_and_a_reload_only_if_asked(
    browser: Browser, keep: bool
) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            await page.fill("#key", READER.key)
            await page.set_checked('[name="keep"]', keep)
            await page.click("#key-form button")
            await page.wait_for_selector("#balances-body tr")
            assert await page.evaluate("Object.values(localStorage)") == []
            await page.reload()
            await page.wait_for_selector('body[data-state="live"]')
            await until(page, 'document.querySelector("#key-form").hidden', keep)


async def test_a_page_that_is_cut_off_connects_again(browser: Browser) -> None:
    async with venue() as running:
        await furnish(running)
        async with looking_at(browser, running.origin) as (page, complaints):
            complaints.server_goes = True
            await assert_shows_the_book(page, running)
            for connection in running.connections:
                connection.abort()
            await running.venue.submit(CancelAll(account="alice"))
            await page.wait_for_selector('body[data-state="live"]')
            await assert_shows_the_book(page, running)
