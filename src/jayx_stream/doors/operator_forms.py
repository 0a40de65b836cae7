"""What the operator's API is asked and answers with, as JSON. Rule: the words are the configuration's, and a
field that isn't known is an error: a halt whose `cancel_orders` is misspelled must not be half a halt.
"""

from msgspec import Struct

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key
from jayx_stream.model.order import OrderView
from jayx_stream.model.units import NS_PER_MS
from jayx_stream.model.views import Positions
from jayx_stream.projections.keys import KeyView
from jayx_stream.wire.messages import PositionPayload, positions_payload


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies."""


class KeyRequest(Request, frozen=True):
    """A key that is wanted."""

    account: str
    kind: str = "hmac"
    permissions: tuple[str, ...] = ("read",)
    networks: tuple[str, ...] = ()
    """Addresses or networks whence it may be used; none: from everywhere."""
    signed_streams: bool = False
    label: str = ""
    public_key: str | None = None
    """Of an Ed25519 key: PEM, or base64 of its 32 bytes."""


class AccountRequest(Request, frozen=True):
    """An account that is wanted."""

    name: str


class MoneyRequest(Request, frozen=True):
    """A deposit or a withdrawal."""

    asset: str
    amount: str
    reference: str
    """Names it within the account: the same again moves nothing."""


class HaltRequest(Request, frozen=True):
    """How to halt."""

    cancel_orders: bool = False


class CancelRequest(Request, frozen=True):
    """Which orders are to be canceled: those that all of it fits."""

    id: int | None = None
    account: str | None = None
    symbol: str | None = None


class Issued(Struct, frozen=True):
    """A new key, as its holder is told it, this once."""

    key: Key
    api_key: str
    secret: str | None
    """None: an Ed25519 key's stays with its holder."""


class KeyPayload(Struct, kw_only=True):
    """A key as the operator sees it."""

    key_id: str
    account: str
    kind: str
    permissions: tuple[str, ...]
    networks: tuple[str, ...]
    signed_streams: bool
    label: str
    added: int
    """Milliseconds since the epoch."""
    revoked: int | None


class IssuedPayload(Struct, kw_only=True):
    """A new key, shown this once."""

    key_id: str
    api_key: str
    secret: str | None
    account: str
    kind: str
    permissions: tuple[str, ...]
    networks: tuple[str, ...]
    signed_streams: bool
    label: str


class AccountPayload(Struct):
    """An account and what it owns."""

    name: str
    spot: tuple[PositionPayload, ...]


class MarketPayload(Struct):
    """An instrument, as far as the operator can change it."""

    symbol: str
    base: str
    quote: str
    halted: bool


class HaltedPayload(Struct):
    """A market after a halt or its end."""

    symbol: str
    halted: bool
    canceled: int
    """Orders."""


class CanceledPayload(Struct):
    """An order that the operator canceled."""

    id: int
    account: str
    symbol: str
    side: str
    lots: int
    exec: int
    price: str
    quantity: str


def key_payload(view: KeyView) -> KeyPayload:
    """A key, without what it is used with."""
    key = view.key
    return KeyPayload(
        key_id=key.key_id,
        account=key.account,
        kind=key.kind.lower(),
        permissions=key.permissions,
        networks=key.networks,
        signed_streams=key.signed_streams,
        label=key.label,
        added=view.added_ns // NS_PER_MS,
        revoked=None if view.revoked_ns is None else view.revoked_ns // NS_PER_MS,
    )


def issued_payload(issued: Issued) -> IssuedPayload:
    """A new key, with all that its holder needs."""
    key = issued.key
    return IssuedPayload(
        key_id=key.key_id,
        api_key=issued.api_key,
        secret=issued.secret,
        account=key.account,
        kind=key.kind.lower(),
        permissions=key.permissions,
        networks=key.networks,
        signed_streams=key.signed_streams,
        label=key.label,
    )


def account_payload(name: str, positions: Positions) -> AccountPayload:
    """An account, with its balances as the stream `positions` writes them."""
    return AccountPayload(name, tuple(positions_payload(positions)))


def canceled_payload(order: OrderView, instrument: Instrument) -> CanceledPayload:
    """An order that is no more."""
    return CanceledPayload(
        id=order.order_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        lots=order.lots,
        exec=order.executed_lots,
        price=instrument.tick_size.text(order.limit_ticks),
        quantity=instrument.lot_size.text(order.lots),
    )
