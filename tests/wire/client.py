"""A client without a socket: it writes requests to a session and reads what is to be done."""

from collections.abc import Sequence
from typing import Any

from msgspec import json

from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import encode
from jayx_stream.wire.session import Action, Reply, Session, Subscribe

EPOCH = "00c0ffee00c0ffee"
KLINE = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT", "precise": "1"}
POSITIONS = {"apiKey": "alicekey", "category": "spot"}
OPENORDERS = {"apiKey": "alicekey", "category": "spot", "symbol": "BTCUSDT"}
DOCUMENTED = {
    "kline": KLINE,
    "orderbook": ORDERBOOK,
    "positions": POSITIONS,
    "openorders": OPENORDERS,
}
"""The messages of the user's document."""


class SmallDirectory:
    """Two instruments, one key that reads, one that may not."""

    symbols = frozenset({"BTCUSDT", "ETHUSDT"})

    def account_of(self, api_key: str, address: str) -> str:
        if api_key == "tradeonly":
            raise ProtocolError(ErrorCode.FORBIDDEN, "this needs the permission read")
        if api_key != "alicekey":
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "unknown key")
        return "alice"


class Client:
    """Writes to a session of its own."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now_s = 1000.0
        self.session = Session(
            SmallDirectory(), limits or Limits(), epoch=EPOCH, address="127.0.0.1"
        )

    def send_text(self, text: bytes) -> list[Action]:
        """All that is to be done about a text, in order."""
        return list(self.session.receive(text, now_s=self.now_s, ts_ms=1716131619042))

    def send(self, request: object) -> list[Action]:
        """The same, of a request or a batch of them."""
        return self.send_text(json.encode(request))

    def ask(self, event: str, message: object, **more: object) -> dict[str, Any]:
        """The answer to one request, which carries an id."""
        request = {"event": event, "message": message, "id": 1, **more}
        replies = self.replies(self.send(request))
        assert len(replies) == 1
        return replies[0]

    def ask_acked(self, event: str, message: object, **more: object) -> dict[str, Any]:
        """The ack's message of a request that is done."""
        answer = self.ask(event, message, **more)
        assert (answer["event"], answer["id"]) == ("ack", 1), answer
        acked: dict[str, Any] = answer["message"]
        return acked

    def refusal(self, event: str, message: object, **more: object) -> tuple[str, str]:
        """Code and reason of a request that is refused."""
        answer = self.ask(event, message, **more)
        assert answer["event"] == "error", answer
        return answer["message"]["code"], answer["message"]["reason"]

    def subscribe(self, event: str, message: object) -> Subscribe:
        """What a good subscription leads to."""
        (action,) = self.send({"event": event, "message": message})
        assert isinstance(action, Subscribe), action
        return action

    @staticmethod
    def texts(actions: Sequence[Action]) -> list[bytes]:
        """Of the answers among what is to be done."""
        return [encode(action.answer) for action in actions if isinstance(action, Reply)]

    @classmethod
    def replies(cls, actions: Sequence[Action]) -> list[dict[str, Any]]:
        """The same, decoded."""
        return [json.decode(text) for text in cls.texts(actions)]
