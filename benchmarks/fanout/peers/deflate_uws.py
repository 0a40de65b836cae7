"""uWebSockets through socketify, with its own compression: `deflate_uws.py shared|dedicated FILE`. The lines
of FILE are spread in turn.
"""

import itertools
import sys

from socketify import App, CompressOptions, OpCode

kind, path = sys.argv[1:]
with open(path) as lines:
    TEXTS = itertools.cycle(lines.read().splitlines())
COMPRESSION = {
    "shared": CompressOptions.SHARED_COMPRESSOR,
    "dedicated": CompressOptions.DEDICATED_COMPRESSOR_4KB,
}


def opened(ws):
    ws.subscribe("all")


def received(ws, message, opcode):
    if message.startswith("go"):
        app.publish("all", next(TEXTS), OpCode.TEXT, True)
        ws.send("ok", OpCode.TEXT)


app = App()
app.ws(
    "/*",
    {
        "compression": COMPRESSION[kind],
        "max_payload_length": 65536,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 120,
        "open": opened,
        "message": received,
    },
)
app.listen({"port": 0, "host": "127.0.0.1"}, lambda config: print(config.port, flush=True))
app.run()
