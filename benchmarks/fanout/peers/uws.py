"""uWebSockets through socketify: its own publish to a topic, as its users do it."""

import sys
import time

from socketify import App, CompressOptions, OpCode

PAD = "x" * (int(sys.argv[1]) - 21)


def opened(ws):
    ws.subscribe("all")


def received(ws, message, opcode):
    if message.startswith("go"):
        text = f'{PAD}"ts":{time.monotonic_ns() // 1000:016}'
        app.publish("all", text, OpCode.TEXT)
    ws.send("ok", OpCode.TEXT)


app = App()
app.ws(
    "/*",
    {
        "compression": CompressOptions.DISABLED,
        "max_payload_length": 65536,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 120,
        "open": opened,
        "message": received,
    },
)
app.listen({"port": 0, "host": "127.0.0.1"}, lambda config: print(config.port, flush=True))
app.run()
