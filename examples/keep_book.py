"""Keep the order book of a symbol in decimals, over broken connections.

Why: each push is a whole state, so keeping a book is replacing it; only trades have to be joined,
and the id of the newest one says which of them are new and how many were missed.

    python examples/keep_book.py [127.0.0.1:8443] [SYMBOL] [PUSHES]
"""

import asyncio
import json
import sys
from decimal import Decimal
from urllib.request import urlopen

from websockets.asyncio.client import connect


def steps(server: str, symbol: str) -> tuple[Decimal, Decimal]:
    """Tick and lot size of a symbol."""
    with urlopen(f"http://{server}/api/v1/public/exchangeInfo", timeout=10) as answer:
        instruments = json.load(answer)["data"]["instruments"]
    terms = next(each for each in instruments if each["symbol"] == symbol)
    return Decimal(terms["tickSize"]), Decimal(terms["lotSize"])


async def main(
    server: str = "127.0.0.1:8443", symbol: str = "BTCUSDT", pushes: int | str = 0
) -> None:
    tick, lot = await asyncio.to_thread(steps, server, symbol)
    message = {"category": "spot", "symbol": symbol, "precise": "1"}
    last_trade, count = None, 0
    async for websocket in connect(f"ws://{server}/"):  # connects again, ever more slowly
        await websocket.send(json.dumps({"event": "orderbook", "message": message}))
        async for text in websocket:
            push = json.loads(text)
            if push["event"] != "orderbook":
                continue
            book, trades, newest = (
                push["message"]["orderBook"],
                push["message"]["trades"],
                push["trade"],
            )
            happened = 0 if last_trade is None else newest - last_trade
            last_trade, missed = newest, max(0, happened - len(trades))
            best = [
                f"{each['lots'] * lot} @ {each['ticks'] * tick}"
                for each in (*book["bids"][:1], *book["asks"][:1])
            ]
            print(push["seq"], *best, f"{happened} new trades, {missed} missed", flush=True)
            count += 1
            if count == int(pushes):  # 0: for ever
                return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
