"""Orders from the page, by stream: logged in, checked, placed once, canceled."""

import pytest
from playwright.async_api import Browser, Page

from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import Refused
from tests.doors.running import Running, venue
from tests.doors.trader import ALICE, BOB, READER, Credentials
from tests.web.browser import cells, looking_at, needs_chromium, until

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]

ORDERS = cells("#orders-body", "symbol", "side", "price", "size", "done")


async def sign_in(page: Page, who: Credentials) -> None:
    await page.fill("#key", who.key)
    await page.fill('[name="secret"]', who.secret)
    await page.click("#key-form button")
    await page.wait_for_selector("#balances-body tr")


async def offer(running: Running, lots: int, ticks: int) -> None:
    """Alice sells."""
    answer = await running.venue.submit(
        PlaceOrder(
            account="alice",
            symbol="BTCUSDT",
            side=Side.SELL,
            type=OrderType.LIMIT,
            lots=lots,
            limit_ticks=ticks,
        )
    )
    assert not isinstance(answer, Refused), answer


async def fill_in(page: Page, price: str, quantity: str) -> None:
    await page.fill('[name="price"]', price)
    await page.fill('[name="quantity"]', quantity)


async def test_an_order_is_placed_and_canceled(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            await sign_in(page, BOB)
            await page.wait_for_selector("#place:enabled")
            await fill_in(page, "60,000.50", "0.005")
            assert await page.text_content("#ticket-hint") == "= 300.0025 USDT"
            await page.click("#place")
            await until(page, ORDERS, [["BTCUSDT", "▲ Buy", "60,000.50", "0.005", "0 %"]])
            assert await page.input_value('[name="quantity"]') == ""
            assert len(list(running.venue.projections.orders.open_of("bob", None))) == 1
            await page.click("#orders-body button")
            await until(page, ORDERS, [])
            await page.wait_for_selector("text=BUY 0.005 BTCUSDT: canceled")


async def test_the_keyboard_and_the_ladder_fill_the_ticket(browser: Browser) -> None:
    async with venue() as running:
        await offer(running, 3000, 6_000_100)
        async with looking_at(browser, running.origin) as (page, _):
            await sign_in(page, BOB)
            await page.wait_for_selector("#place:enabled")
            await page.click("#asks tr[data-ticks]")
            assert await page.input_value('[name="price"]') == "60001.00"
            await page.keyboard.type("0.001")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("text=BUY 0.001 BTCUSDT: filled")
            await until(page, cells("#asks", "price", "size"), [["60,001.00", "0.002000"]])
            await page.keyboard.press("Escape")
            await page.keyboard.press("s")
            assert await page.text_content("#place") == "Sell BTC"
            await page.fill('[name="price"]', "70000")
            await page.click('[data-share="50"]')
            # 100.001 BTC, less the fee of 0.2 % on what was bought.
            assert await page.input_value('[name="quantity"]') == "50.000499"


async def test_what_is_wrong_is_said_and_nothing_is_placed(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            await sign_in(page, BOB)
            await page.wait_for_selector("#place:enabled")
            for price, quantity, complaint in (
                ("60000.005", "1", "price has to be a multiple of 0.01."),
                ("60000", "", "Enter a quantity."),
                ("60000", "99", "available"),
            ):
                await fill_in(page, price, quantity)
                await page.click("#place:enabled")
                await page.wait_for_selector(f".toast:has-text('{complaint}')")
            assert not list(running.venue.projections.orders.open_of("bob", None))


async def test_a_key_that_may_only_read_may_not_trade_and_is_told_so(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, _):
            await sign_in(page, READER)
            await page.wait_for_selector("#ticket-hint:has-text('This key may not trade')")
            assert await page.is_disabled("#place")


async def test_all_orders_of_the_market_are_canceled_after_a_question(browser: Browser) -> None:
    async with venue() as running:
        for step in range(3):
            await offer(running, 1000, 6_000_100 + step)
        async with looking_at(browser, running.origin) as (page, _):
            await sign_in(page, ALICE)
            await page.wait_for_selector("#cancel-all:enabled")
            page.once("dialog", lambda dialog: dialog.dismiss())
            await page.keyboard.press("Shift+X")
            await until(page, f"{ORDERS}.length", 3)
            page.once("dialog", lambda dialog: dialog.accept())
            await page.keyboard.press("Shift+X")
            await until(page, ORDERS, [])


async def test_after_a_cut_the_page_logs_in_again(browser: Browser) -> None:
    async with venue() as running:
        async with looking_at(browser, running.origin) as (page, complaints):
            complaints.server_goes = True
            await sign_in(page, BOB)
            await page.wait_for_selector("#place:enabled")
            for connection in running.connections:
                connection.abort()
            await page.wait_for_selector("#place:disabled")
            await page.wait_for_selector("#place:enabled")
            await fill_in(page, "50000", "0.002")
            await page.click("#place")
            await until(page, f"{ORDERS}.length", 1)
