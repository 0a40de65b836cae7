"""Commands: what someone asks of the exchange. Asking changes nothing; see `events` for what is so."""

from msgspec import Struct

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key
from jayx_stream.model.order import OrderType, Side


class PlaceOrder(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Buy or sell."""

    account: str
    symbol: str
    side: Side
    type: OrderType
    lots: int
    limit_ticks: int = 0
    """The worst price accepted; 0 for a MARKET order, at least 1 for any other."""
    client_order_id: str | None = None
    """The account's own name for the order, at most 36 characters, unique within the account for
    ever: the same order again under it gives the order that is there, and places nothing."""


class AmendOrder(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Make a resting order smaller, named like in `CancelOrder`; it keeps its place in the queue."""

    account: str
    order_id: int | None = None
    client_order_id: str | None = None
    lots: int
    """The order's new size, executed lots included: at most what it is, at least what is executed.
    The same size again changes nothing."""


class CancelOrder(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Cancel one open order, by `order_id` or, if that is None, by `client_order_id`."""

    account: str
    order_id: int | None = None
    client_order_id: str | None = None


class CancelAll(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Cancel every open order of the account, or those of one symbol."""

    account: str
    symbol: str | None = None


class CancelAsOperator(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Cancel the open orders that all of what is given fits, whoever owns them; something is given."""

    order_id: int | None = None
    account: str | None = None
    symbol: str | None = None


class OpenAccount(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Make an account; one that is there already is left as it is."""

    account: str


class Deposit(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Bring money in from outside."""

    account: str
    asset: str
    units: int
    """In the asset's smallest unit; at least 1."""
    reference: str
    """Names this deposit within the account: a second one with the same reference is not made."""


class Withdraw(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Take money out: only what no open order reserves."""

    account: str
    asset: str
    units: int
    """In the asset's smallest unit; at least 1."""
    reference: str
    """Names this withdrawal within the account: a second one with the same reference is not made."""


class ListInstrument(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Open an instrument for trading; one that is listed already gets the new terms' fees and
    limits, but keeps its assets, tick size and lot size.
    """

    instrument: Instrument


class HaltTrading(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Take no orders of this instrument until trading is resumed. Open ones rest, and their owners may
    cancel or amend them. One that is halted already is left as it is, but for `cancel_orders`.
    """

    symbol: str
    cancel_orders: bool = False
    """Whether all its open orders are canceled."""


class ResumeTrading(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Take orders of this instrument again; one that is not halted is left as it is."""

    symbol: str


class AddKey(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Let a key in. One with the same digest must never have been there."""

    key: Key


class RevokeKey(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Let a key in no more, for ever; one that is revoked already is left as it is."""

    key_id: str


class AdvanceClock(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Say that a whole minute has begun. The clock never goes back: an earlier one changes nothing."""

    minute_ns: int
    """Start of the minute, nanoseconds since the epoch, UTC."""


class RememberSignature(Struct, frozen=True, kw_only=True, tag_field="command", tag=True):
    """Make it last that a request's signature was used, whatever becomes of the request."""

    digest: bytes
    """16 bytes, of the key and the signature."""
    used_ms: int
    """By the machine's clock, by which signatures are checked."""
    expires_ms: int
    """From then on its timestamp is too old anyway."""


OperatorCommand = (
    OpenAccount
    | Deposit
    | Withdraw
    | ListInstrument
    | HaltTrading
    | ResumeTrading
    | AddKey
    | RevokeKey
)
"""What only an operator may ask, beside `CancelAsOperator`."""

Command = (
    PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAll
    | CancelAsOperator
    | OperatorCommand
    | AdvanceClock
    | RememberSignature
)
