"""Engine.IO and Socket.IO: any packets, one after the other on one session, down to the requests in them."""

import contextlib
import json

from msgspec import Raw
from msgspec.json import decode

from jayx_stream.wire.actions import Reply
from jayx_stream.wire.engineio import (
    BinaryMessage,
    Breach,
    End,
    EngineSession,
    Message,
    Terms,
    Transport,
    split_payload,
)
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.socketio import (
    MAIN,
    PACKETS,
    Action,
    Event,
    PacketType,
    Send,
    SocketSession,
    read_packet,
    request_text,
)
from tests.wire.client import Client

PACKETS_MAX = 20
ATTACHMENTS_MAX = 2
TOLD = {PacketType.EVENT, PacketType.ACK}
"""What answers come in."""


def emit_anything(data: bytes) -> None:
    """Nothing but Breach is raised, an event is one request, an answer is packets that a client reads."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return  # No door lets it through.
    engine = EngineSession("sid", Terms(20_000, 20_000, 65_536), Transport.POLLING, 0.0)
    socket = SocketSession({MAIN}, lambda: "sid", attachments_max=ATTACHMENTS_MAX)
    client = Client(Limits(streams_per_connection=3, requests_per_s=10, requests_burst=20))
    with contextlib.suppress(Breach):
        for packet in split_payload(data)[:PACKETS_MAX]:
            match engine.receive(packet, 1.0):
                case Message(text):
                    actions = list(socket.receive(text))
                case BinaryMessage(attachment):
                    actions = list(socket.receive_attachment(attachment))
                case End():
                    return
                case _:
                    actions = []
            for action in actions:
                _answer(action, client)


def _answer(action: Action, client: Client) -> None:
    if isinstance(action, Send):
        assert read_packet(action.packet[1:], 0).data is not None
    if not isinstance(action, Event):
        return
    text = request_text(action)
    # A name or an argument that could end its part would make another request of it.
    assert set(decode(text, type=dict[str, Raw])) <= {"event", "message", "id"}, text
    for done in client.send_text(text):
        if isinstance(done, Reply):
            for packet in split_payload(PACKETS.reply(done.answer)):
                told = read_packet(packet[1:], 0)
                assert told.type in TOLD
                assert told.data is not None
                assert isinstance(json.loads(bytes(told.data)), list)
