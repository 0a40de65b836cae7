"""uWebSockets through socketify: its own publish to a topic, as its users do it."""

import sys
import time

from socketify import App, OpCode
from uws_serving import serve

PAD = "x" * (int(sys.argv[1]) - 21)


def opened(ws):
    ws.subscribe("all")


def received(ws, message, opcode):
    if message.startswith("go"):
        text = f'{PAD}"ts":{time.monotonic_ns() // 1000:016}'
        app.publish("all", text, OpCode.TEXT)
    ws.send("ok", OpCode.TEXT)


app = App()
serve(app, open=opened, message=received)
