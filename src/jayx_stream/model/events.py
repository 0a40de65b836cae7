"""Events: what is so. They are journaled, and state is nothing but their fold.

Records are kept for ever: fields are only ever added, at the end and with a default.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key
from jayx_stream.model.order import Order, OrderType, Side


class CancelReason(StrEnum):
    """Why an order ended before it was filled."""

    BY_OWNER = "BY_OWNER"
    REMAINDER = "REMAINDER"
    """What a MARKET, IOC or FOK order could not take."""
    SELF_TRADE = "SELF_TRADE"
    """The next order to take was the taker's own account's."""
    BY_OPERATOR = "BY_OPERATOR"
    HALTED = "HALTED"
    """Trading of its instrument was halted, and all orders with it."""


class Event(Struct, frozen=True, array_like=True, gc=False, tag_field="event"):
    """Base of all events."""


class AccountOpened(Event, frozen=True, tag="A"):
    """An account is there from now on."""

    account: str


class Deposited(Event, frozen=True, tag="D"):
    """Money came in from outside."""

    account: str
    asset: str
    units: int
    reference: str


class Withdrawn(Event, frozen=True, tag="W"):
    """Money went out."""

    account: str
    asset: str
    units: int
    reference: str


class InstrumentListed(Event, frozen=True, tag="I"):
    """The instrument trades on these terms from now on."""

    instrument: Instrument


class TradingHalted(Event, frozen=True, tag="H"):
    """No order of the instrument is taken from now on."""

    symbol: str


class TradingResumed(Event, frozen=True, tag="R"):
    """Orders of the instrument are taken again."""

    symbol: str


class KeyAdded(Event, frozen=True, tag="K"):
    """A key is let in from now on."""

    key: Key


class KeyRevoked(Event, frozen=True, tag="X"):
    """A key is let in no more."""

    key_id: str


class OrderPlaced(Event, frozen=True, tag="P"):
    """An order was accepted, and reserves what it may have to give."""

    order_id: int
    """Unique in the exchange, growing."""
    account: str
    symbol: str
    side: Side
    type: OrderType
    lots: int
    limit_ticks: int
    client_order_id: str | None = None

    def order(self, time_ns: int) -> Order:
        """The order as it begins, at the time of the commit."""
        return Order(
            self.order_id,
            self.account,
            self.symbol,
            self.side,
            self.type,
            self.lots,
            self.limit_ticks,
            self.client_order_id,
            time_ns,
        )


class Traded(Event, frozen=True, tag="T"):
    """Two orders met, at the resting order's price."""

    trade_id: int
    """Consecutive within the symbol, from 1."""
    symbol: str
    side: Side
    """The taker's."""
    lots: int
    ticks: int
    maker_order_id: int
    taker_order_id: int
    maker_fee_units: int
    """In units of the asset that the maker receives."""
    taker_fee_units: int


class OrderAmended(Event, frozen=True, tag="E"):
    """An open order became smaller, and what it gave up is no longer reserved."""

    order_id: int
    lots: int
    """Its size now, executed lots included: if no more than those, the order is filled."""


class OrderCanceled(Event, frozen=True, tag="C"):
    """What was left of an order was given up, and its reserve released."""

    order_id: int
    reason: CancelReason


class MinuteBegan(Event, frozen=True, tag="M"):
    """The exchange's clock reached a whole minute: klines open by this, alike for every reader."""

    minute_ns: int


class SignatureUsed(Event, frozen=True, tag="S"):
    """A request with this signature came; none is taken with it again."""

    digest: bytes
    """16 bytes."""
    used_ms: int
    expires_ms: int


OperatorEvent = (
    AccountOpened
    | Deposited
    | Withdrawn
    | InstrumentListed
    | TradingHalted
    | TradingResumed
    | KeyAdded
    | KeyRevoked
)
"""What only an operator can bring about: accounts, money, instruments, keys."""

AnyEvent = (
    OperatorEvent
    | OrderPlaced
    | OrderAmended
    | Traded
    | OrderCanceled
    | MinuteBegan
    | SignatureUsed
)


class Commit(Struct, frozen=True, array_like=True):
    """All that one command caused. Commits are numbered from 1 without gaps."""

    seq: int
    time_ns: int
    """The exchange's clock; never less than that of the commit before."""
    events: tuple[AnyEvent, ...]


_encoder = Encoder()
_decoder = Decoder(tuple[Commit, ...])


def encode_commits(commits: Sequence[Commit]) -> bytes:
    """A batch as it stands in the journal (MessagePack)."""
    return _encoder.encode(commits)


def decode_commits(record: bytes) -> tuple[Commit, ...]:
    """The batch again. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(record)
