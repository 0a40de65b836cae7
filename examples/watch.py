"""Watch all four streams on one connection.

Why: these are the documented messages as they stand; nothing else is needed to see a market.

    python examples/watch.py [ws://127.0.0.1:8443/] [API_KEY] [PUSHES]
"""

import json
import sys

from websockets.sync.client import connect

URL, API_KEY, PUSHES = "ws://127.0.0.1:8443/", "clmsionk21ru", 0


def main(url: str = URL, api_key: str = API_KEY, pushes: int | str = PUSHES) -> None:
    subscriptions = {
        "kline": {"category": "spot", "symbol": "BTCUSDT", "interval": "60"},
        "orderbook": {"category": "spot", "symbol": "BTCUSDT", "precise": "1"},
        "positions": {"apiKey": api_key, "category": "spot"},
        "openorders": {"apiKey": api_key, "category": "spot", "symbol": "BTCUSDT"},
    }
    with connect(url) as websocket:
        for event, message in subscriptions.items():
            websocket.send(json.dumps({"event": event, "message": message}))
        for count, text in enumerate(websocket, start=1):
            told = json.loads(text)
            print(told.get("seq"), told["event"], json.dumps(told["message"])[:200], flush=True)
            if count == int(pushes):  # 0: for ever
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
