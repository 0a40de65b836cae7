"""A client without a socket: it writes requests to a session and reads what is to be done."""

from base64 import b64encode
from collections.abc import Sequence
from hmac import digest
from typing import Any

from msgspec import json

from jayx_stream.model.commands import RememberSignature
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Permission
from jayx_stream.model.order import Order, OrderView
from jayx_stream.model.reasons import ErrorCode
from jayx_stream.wire.access import Caller, Signature
from jayx_stream.wire.actions import Action, Reply, Submit, Subscribe
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import encode
from jayx_stream.wire.session import Session

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


INSTRUMENTS = {
    "BTCUSDT": Instrument.define(
        symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
    ),
    "ETHUSDT": Instrument.define(
        symbol="ETHUSDT", base="ETH", quote="USDT", tick_size="0.01", lot_size="0.00001"
    ),
}

READ, TRADE = Permission.READ, Permission.TRADE
PERMISSIONS = {
    "alicekey": (READ, TRADE),
    "alice2": (READ, TRADE),
    "bobkey": (READ, TRADE),
    "readonly": (READ,),
    "tradeonly": (TRADE,),
    "signs": (READ, TRADE),
}
ACCOUNTS = {"bobkey": "bob"}
"""Of keys that are not alice's."""


def sign(api_key: str, timestamp: int | str, signed: str) -> str:
    """A signature under the key's secret, which is its own text."""
    return b64encode(digest(api_key.encode(), f"{timestamp}{signed}".encode(), "sha256")).decode()


class SmallDirectory:
    """Two instruments and a few keys; `signs` reads by signature only. A signature is good once."""

    symbols = frozenset(INSTRUMENTS)

    def __init__(self) -> None:
        self.used: list[Signature] = []
        """In the order of their use."""

    def reader(self, api_key: str, signature: Signature | None, address: str) -> Caller:
        if signature is not None:
            return self.check(signature, address, READ)
        if api_key == "signs":
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "this key wants timestamp and sign")
        return self._permitted(api_key, READ)

    def check(self, signature: Signature, address: str, permission: Permission) -> Caller:
        expected = sign(signature.api_key, signature.timestamp, signature.signed.decode())
        if signature.sign != expected or signature in self.used:
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "the signature does not fit")
        self.used.append(signature)
        caller = self._permitted(signature.api_key, permission)
        if permission is READ:
            return caller
        used = RememberSignature(digest=bytes(16), used_ms=1, expires_ms=2)
        return Caller(caller.account, caller.key_id, caller.permissions, used)

    @staticmethod
    def _permitted(api_key: str, permission: Permission) -> Caller:
        if api_key not in PERMISSIONS:
            raise ProtocolError(ErrorCode.UNAUTHORIZED, "unknown key")
        if permission not in PERMISSIONS[api_key]:
            raise ProtocolError(ErrorCode.FORBIDDEN, f"this needs the permission {permission}")
        account = ACCOUNTS.get(api_key, "alice")
        return Caller(account, f"id of {api_key}", PERMISSIONS[api_key])


class SmallPresent:
    """See `wire.trading.Present`: the two instruments, and the orders that are put there."""

    def __init__(self, *orders: Order) -> None:
        self.seq = 41
        self.instruments = INSTRUMENTS
        self.orders = self
        self._orders = orders

    def find(
        self, account: str, order_id: int | None, client_order_id: str | None
    ) -> OrderView | None:
        for order in self._orders:
            is_meant = (
                order.client_order_id == client_order_id
                if order_id is None
                else order.order_id == order_id
            )
            if order.account == account and is_meant:
                return order.view()
        return None


class Client:
    """Writes to a session of its own."""

    def __init__(self, limits: Limits | None = None, *orders: Order) -> None:
        self.now_s = 1000.0
        self.directory = SmallDirectory()
        self.session = Session(
            self.directory,
            SmallPresent(*orders),
            limits or Limits(),
            epoch=EPOCH,
            address="127.0.0.1",
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

    def login(self, api_key: str = "alicekey", timestamp: int = 1, **more: object) -> list[Action]:
        """What a login leads to; each signature is good once."""
        signature = sign(api_key, timestamp, "GET/stream/login")
        message = {"apiKey": api_key, "timestamp": timestamp, "sign": signature, **more}
        return self.send({"event": "login", "message": message, "id": 1})

    def submitted(self, event: str, message: object) -> Submit:
        """What a good order leads to."""
        (action,) = self.send({"event": event, "message": message, "id": 1})
        assert isinstance(action, Submit), action
        return action

    @staticmethod
    def texts(actions: Sequence[Action]) -> list[bytes]:
        """Of the answers among what is to be done."""
        return [encode(action.answer) for action in actions if isinstance(action, Reply)]

    @classmethod
    def replies(cls, actions: Sequence[Action]) -> list[dict[str, Any]]:
        """The same, decoded."""
        return [json.decode(text) for text in cls.texts(actions)]
