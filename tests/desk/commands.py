"""Commands to put on a desk: a small venue, and orders in it."""

from functools import partial

from jayx_stream.model.commands import (
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.order import OrderType, Side

BTCUSDT = Instrument.define(
    symbol="BTCUSDT", base="BTC", quote="USDT", tick_size="0.01", lot_size="0.000001"
)
ETHUSDT = Instrument.define(
    symbol="ETHUSDT", base="ETH", quote="USDT", tick_size="0.01", lot_size="0.00001"
)
TRADERS = ("alice", "bob", "carol")
OPENING: tuple[Command, ...] = (
    ListInstrument(instrument=BTCUSDT),
    ListInstrument(instrument=ETHUSDT),
    *(OpenAccount(account=trader) for trader in TRADERS),
    *(
        Deposit(account=trader, asset=asset, units=10**15, reference=asset)
        for trader in TRADERS
        for asset in ("BTC", "ETH", "USDT")
    ),
)
"""After these, everyone has plenty of everything. One commit each."""


def order(
    side: Side,
    account: str,
    lots: int,
    ticks: int,
    *,
    symbol: str = "BTCUSDT",
    type: OrderType = OrderType.LIMIT,
    name: str | None = None,
) -> PlaceOrder:
    """An order of one side."""
    return PlaceOrder(
        account=account,
        symbol=symbol,
        side=side,
        type=type,
        lots=lots,
        limit_ticks=ticks,
        client_order_id=name,
    )


buy = partial(order, Side.BUY)
sell = partial(order, Side.SELL)


def cancel(account: str, order_id: int) -> CancelOrder:
    """A cancel by id."""
    return CancelOrder(account=account, order_id=order_id)
