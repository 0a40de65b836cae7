"""What `--demo` says at its start: texts to be pasted, which all work as they stand."""

from jayx_stream.app.config import Config

DEMO_KEY = "clmsionk21ru"
"""The key of the user's own document."""

DEMO_SECRET = "demo-secret"  # noqa: S105 (for a market of play money, printed at its start)
"""Of the demo account that is made if the configuration has none."""


def welcome(config: Config, port: int, symbol: str, secret: str) -> str:
    """The user's four messages, and a signed order."""
    host = config.server.host
    secure = "s" if config.server.tls_cert or config.server.tls_dev else ""
    messages = (
        f'{{"event": "kline", "message": {{"category": "spot", "symbol": "{symbol}", '
        '"interval": "60"}}',
        f'{{"event": "orderbook", "message": {{"category": "spot", "symbol": "{symbol}", '
        '"precise": "1"}}',
        f'{{"event": "positions", "message": {{"apiKey": "{DEMO_KEY}", "category": "spot"}}}}',
        f'{{"event": "openorders", "message": {{"apiKey": "{DEMO_KEY}", "category": "spot", '
        f'"symbol": "{symbol}"}}}}',
    )
    pasted = "\n".join(f"  {message}" for message in messages)
    return f"""
Watch it in a browser: http{secure}://{host}:{port}/

Paste these into any WebSocket client, such as: .venv/bin/websockets ws{secure}://{host}:{port}/
{pasted}

Place a signed order:
  ts=$(date +%s%3N); body='{{"symbol":"{symbol}","side":"BUY","type":"MARKET","quantity":"0.01"}}'
  sign=$(printf %s "${{ts}}POST/api/v1/trader/order$body" | \\
    openssl dgst -sha256 -hmac '{secret}' -binary | base64)
  curl http{secure}://{host}:{port}/api/v1/trader/order -d "$body" \\
    -H "JAYX-ACCESS-KEY: {DEMO_KEY}" -H "JAYX-ACCESS-TIMESTAMP: $ts" -H "JAYX-ACCESS-SIGN: $sign"

Ctrl-C stops the venue."""
