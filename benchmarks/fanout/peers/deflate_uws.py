"""uWebSockets through socketify, with its own compression: `deflate_uws.py shared|dedicated FILE`. The lines
of FILE are spread in turn.
"""

import itertools
import sys

from socketify import App, CompressOptions, OpCode
from uws_serving import serve

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
serve(app, COMPRESSION[kind], open=opened, message=received)
