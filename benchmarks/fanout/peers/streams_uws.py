"""uWebSockets through socketify with streams, which are topics; see streams_ws.mjs."""

import sys

from socketify import App, OpCode
from uws_serving import serve

KLINE, BOOK = ("x" * int(size) for size in sys.argv[1:3])


def received(ws, message, opcode):
    word, *numbers = message.split(" ")
    if word == "sub":
        for number in numbers:
            ws.subscribe(number)
        return
    for kind in range(12):
        text = KLINE if kind < 11 else BOOK
        app.publish(str(int(numbers[0]) * 12 + kind), text, OpCode.TEXT)
    ws.send("ok", OpCode.TEXT)


app = App()
serve(app, message=received)
