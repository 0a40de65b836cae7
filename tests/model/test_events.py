"""Stored records: they come back as they went in, and their form never changes unnoticed.

If a test about bytes fails, journals that exist can't be read any more: add fields at the end, with
a default, and add an example here.
"""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.model.events import (
    AccountOpened,
    AnyEvent,
    CancelReason,
    Commit,
    Deposited,
    InstrumentListed,
    KeyAdded,
    KeyRevoked,
    MinuteBegan,
    OrderAmended,
    OrderCanceled,
    OrderPlaced,
    SignatureUsed,
    Traded,
    TradingHalted,
    TradingResumed,
    Withdrawn,
    decode_commits,
    encode_commits,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key, KeyKind, Permission
from jayx_stream.model.order import OrderState, OrderType, Side

OIL = Instrument.define(
    symbol="OILUSD",
    base="OIL",
    quote="USD",
    tick_size="0.5",
    lot_size="0.1",
    min_lots=2,
    max_lots=9,
    maker_fee="0.001",
    taker_fee="0.002",
)
PLACED = OrderPlaced(7, "ann", "OILUSD", Side.BUY, OrderType.POST_ONLY, 3, 101, "mine")
KEY = Key(
    b"the SHA-256 of some key's text..",
    "ann",
    KeyKind.ED25519,
    b"public",
    (Permission.READ, Permission.TRADE),
    ("10.0.0.0/8",),
    True,
    "bot",
)

STORED: list[tuple[AnyEvent, bytes]] = [
    (SignatureUsed(b"sixteen bytes...", 5, 9), b"\x94\xa1S\xc4\x10sixteen bytes...\x05\t"),
    (AccountOpened("ann"), b"\x92\xa1A\xa3ann"),
    (Deposited("ann", "USD", 500, "r1"), b"\x95\xa1D\xa3ann\xa3USD\xcd\x01\xf4\xa2r1"),
    (
        InstrumentListed(OIL),
        b"\x92\xa1I\x8b\xa6symbol\xa6OILUSD\xa4base\xa3OIL\xa5quote\xa3USD"
        b"\xa9tick_size\x92\x05\x01\xa8lot_size\x92\x01\x01\xa8min_lots\x02\xa8max_lots\t"
        b"\xacmaker_fee_e8\xce\x00\x01\x86\xa0\xactaker_fee_e8\xce\x00\x03\r@"
        b"\xa9lot_units\xce\x00\x98\x96\x80\xaetick_lot_units\xce\x00LK@",
    ),
    (PLACED, b"\x99\xa1P\x07\xa3ann\xa6OILUSD\xa3BUY\xa9POST_ONLY\x03e\xa4mine"),
    (
        OrderPlaced(8, "bob", "OILUSD", Side.SELL, OrderType.MARKET, 3, 0),
        b"\x99\xa1P\x08\xa3bob\xa6OILUSD\xa4SELL\xa6MARKET\x03\x00\xc0",
    ),
    (
        Traded(1, "OILUSD", Side.SELL, 3, 101, 7, 8, 4, 5),
        b"\x9a\xa1T\x01\xa6OILUSD\xa4SELL\x03e\x07\x08\x04\x05",
    ),
    (OrderCanceled(8, CancelReason.REMAINDER), b"\x93\xa1C\x08\xa9REMAINDER"),
    (OrderAmended(8, 2), b"\x93\xa1E\x08\x02"),
    (Withdrawn("ann", "USD", 500, "r1"), b"\x95\xa1W\xa3ann\xa3USD\xcd\x01\xf4\xa2r1"),
    (TradingHalted("OILUSD"), b"\x92\xa1H\xa6OILUSD"),
    (TradingResumed("OILUSD"), b"\x92\xa1R\xa6OILUSD"),
    (
        KeyAdded(KEY),
        b"\x92\xa1K\x98\xc4 the SHA-256 of some key's text..\xa3ann\xa7ED25519\xc4\x06public"
        b"\x92\xa4read\xa5trade\x91\xaa10.0.0.0/8\xc3\xa3bot",
    ),
    (KeyRevoked("0123456789ab"), b"\x92\xa1X\xac0123456789ab"),
    (MinuteBegan(60_000_000_000), b"\x92\xa1M\xcf\x00\x00\x00\r\xf8GX\x00"),
]


@pytest.mark.parametrize(("event", "stored"), STORED)
def test_an_event_is_stored_in_these_bytes_and_read_from_them(
    event: AnyEvent, stored: bytes
) -> None:
    record = b"\x91\x93\x05\x3c\x91" + stored
    assert encode_commits([Commit(5, 60, (event,))]) == record
    assert decode_commits(record) == (Commit(5, 60, (event,)),)


def test_every_kind_of_event_has_its_example() -> None:
    assert {type(event) for event, _ in STORED} == set(get_args(AnyEvent))


def test_every_word_of_an_order_is_stored_as_it_is_spelled() -> None:
    assert list(Side) == ["BUY", "SELL"]
    assert list(OrderType) == ["LIMIT", "MARKET", "IOC", "FOK", "POST_ONLY"]
    assert list(CancelReason) == ["BY_OWNER", "REMAINDER", "SELF_TRADE", "BY_OPERATOR", "HALTED"]
    assert list(KeyKind) == ["HMAC", "ED25519"]
    assert list(Permission) == ["read", "trade"]


counts = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=40)
events: st.SearchStrategy[AnyEvent] = st.one_of(
    *(st.sampled_from([event]) for event, _ in STORED),
    st.builds(Deposited, texts, texts, counts, texts),
    st.builds(
        OrderPlaced,
        order_id=counts,
        account=texts,
        symbol=texts,
        side=st.sampled_from(Side),
        type=st.sampled_from(OrderType),
        lots=counts,
        limit_ticks=counts,
        client_order_id=st.none() | texts,
    ),
)
commits = st.builds(Commit, counts, counts, st.lists(events, max_size=5).map(tuple))


@given(st.lists(commits, max_size=5))
def test_a_batch_comes_back_as_it_went_in(batch: list[Commit]) -> None:
    assert decode_commits(encode_commits(batch)) == tuple(batch)


def test_a_batch_of_nothing_is_a_batch() -> None:
    assert decode_commits(encode_commits([])) == ()


@pytest.mark.parametrize(
    "record",
    [b"", b"\x91", b"\x91\x93\x05\x3c\x91\x92\xa1Z\xa3ann", b"\x91\x92\x05\x3c", b"\x90\x90"],
)
def test_what_is_no_batch_is_not_read(record: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_commits(record)


def test_an_order_begins_as_it_was_placed() -> None:
    order = PLACED.order(60).view()
    assert (order.order_id, order.account, order.symbol, order.side) == (7, "ann", "OILUSD", "BUY")
    assert (order.type, order.lots, order.limit_ticks) == ("POST_ONLY", 3, 101)
    assert (order.state, order.remaining_lots, order.executed_lots) == (OrderState.NEW, 3, 0)
    assert (order.cost, order.last_lots, order.last_ticks) == (0, None, None)
    assert (order.created_ns, order.modified_ns, order.client_order_id) == (60, 60, "mine")
