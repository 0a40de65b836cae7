"""picows on uvloop: a send to each, as its users do it. With "awake" behind the size it never sleeps."""

import asyncio
import sys
import time

import picows
import uvloop

PAD = b"x" * (int(sys.argv[1]) - 21)
readers = set()


class Listener(picows.WSListener):
    """One connection; who is connected is a reader."""

    def on_ws_connected(self, transport):
        readers.add(transport)

    def on_ws_disconnected(self, transport):
        readers.discard(transport)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        if frame.get_payload_as_bytes().startswith(b"go"):
            text = PAD + b'"ts":%016d' % (time.monotonic_ns() // 1000)
            for each in readers:
                each.send(picows.WSMsgType.TEXT, text)
        transport.send(picows.WSMsgType.TEXT, b"ok")


def stay_awake(loop):
    loop.call_soon(stay_awake, loop)


async def main():
    server = await picows.ws_create_server(lambda _: Listener(), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    if sys.argv[2:] == ["awake"]:
        stay_awake(asyncio.get_running_loop())
    await asyncio.Event().wait()


uvloop.run(main())
