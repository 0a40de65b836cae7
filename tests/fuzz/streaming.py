"""`wire.Session` and whatever a client sends: any texts, one after the other on one connection."""

import json

from jayx_stream.wire.actions import Close, Reply
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import encode
from tests.wire.client import Client

BETWEEN_TEXTS = b"\x00"
"""In an input; no JSON has it."""

TEXTS_MAX = 20
ANSWERS = {"ack", "error", "pong"}


def receive_anything(data: bytes) -> None:
    """Nothing raises, every answer is JSON, and whoever is to be closed has asked too often."""
    client = Client(Limits(streams_per_connection=3, requests_per_s=10, requests_burst=20))
    for text in data.split(BETWEEN_TEXTS)[:TEXTS_MAX]:
        for action in client.send_text(text):
            if isinstance(action, Close):
                assert action.code == 4029, action
            # A door lets UTF-8 through only; of anything else it is enough that nothing raises.
            elif isinstance(action, Reply) and _is_utf8(text):
                assert json.loads(encode(action.answer))["event"] in ANSWERS


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
