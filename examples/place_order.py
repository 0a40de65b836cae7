"""Place a signed order, and ask what became of it.

Why: a signature covers timestamp, METHOD, path with query, and body, exactly as they are sent. The
order has a name of its own, so that sending it again after a lost answer can't place it twice.

    python examples/place_order.py BUY 0.001 50000 [http://127.0.0.1:8443] [API_KEY] [SECRET]
"""

import hmac
import json
import sys
from base64 import b64encode
from http.client import HTTPConnection, HTTPSConnection
from secrets import token_hex
from time import time
from typing import Any
from urllib.parse import urlsplit

URL, API_KEY, SECRET = "http://127.0.0.1:8443", "clmsionk21ru", "alice-secret-for-the-sandbox"


class Trader:
    """Holds a key, and signs with it."""

    def __init__(self, url: str = URL, api_key: str = API_KEY, secret: str = SECRET) -> None:
        self.url, self.api_key, self.secret = urlsplit(url), api_key, secret

    def request(self, method: str, target: str, body: str = "") -> Any:
        timestamp = str(int(time() * 1000))
        signed = (timestamp + method + target + body).encode()
        sign = b64encode(hmac.digest(self.secret.encode(), signed, "sha256")).decode()
        headers = {
            "JAYX-ACCESS-KEY": self.api_key,
            "JAYX-ACCESS-TIMESTAMP": timestamp,
            "JAYX-ACCESS-SIGN": sign,
        }
        https = self.url.scheme == "https"
        connection = (HTTPSConnection if https else HTTPConnection)(self.url.netloc, timeout=10)
        connection.request(method, target, body, headers)
        return json.loads(connection.getresponse().read())


def main(side: str, quantity: str, price: str, *where: str) -> None:
    trader = Trader(*where)
    order = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "quantity": quantity}
    order |= {"price": price, "clientOrderId": token_hex(8)}
    print(trader.request("POST", "/api/v1/trader/order", json.dumps(order)))
    name = order["clientOrderId"]
    print(trader.request("GET", f"/api/v1/trader/order?clientOrderId={name}"))


if __name__ == "__main__":
    main(*sys.argv[1:])
