"""One order on its way in: is it good, can it be paid, what does it take, what becomes of the rest."""

from typing import Final

from jayx_stream.engine.book import HalfBook
from jayx_stream.engine.ledger import Account
from jayx_stream.engine.market import Market
from jayx_stream.engine.matching import Matches, match
from jayx_stream.model.commands import PlaceOrder
from jayx_stream.model.events import AnyEvent, CancelReason, OrderCanceled, OrderPlaced, Traded
from jayx_stream.model.instrument import fee_units
from jayx_stream.model.order import OrderType, Side
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT, COUNT_MAX

CLIENT_ORDER_ID_CHARACTERS = 36

# Asked for with every order, and quicker found here than in their enumerations.
_BUY: Final = Side.BUY
_LIMIT: Final = OrderType.LIMIT
_MARKET: Final = OrderType.MARKET


def decide_place(
    command: PlaceOrder, market: Market, owner: Account, *, order_id: int
) -> tuple[AnyEvent, ...] | Refused:
    """The events, or why the order is refused. Reads market and account, changes neither."""
    side, type, lots, limit_ticks = command.side, command.type, command.lots, command.limit_ticks
    client_order_id = command.client_order_id
    is_buy = side is _BUY
    refused = _refuse_form(type, lots, limit_ticks, client_order_id, market) or _refuse_balance(
        market.reserved_units(lots, limit_ticks, is_buy=is_buy),
        market.gives(is_buy=is_buy).name,
        owner,
    )
    if refused is not None:
        return refused
    half = market.book.asks if is_buy else market.book.bids
    spends = is_buy and type is _MARKET
    cost_max = owner.available_units(market.quote.name) // market.tick_lot_units if spends else None
    matches = match(half, owner.name, lots, limit_ticks, cost_max)
    if type is not _LIMIT:
        refused = _refuse_matches(command, matches, half, market, owner)
        if refused is not None:
            return refused
        if type is OrderType.FOK and matches.remaining_lots:
            matches = Matches([], lots, met_own_order=False)
    placed = OrderPlaced(
        order_id, owner.name, market.symbol, side, type, lots, limit_ticks, client_order_id
    )
    if matches.met_own_order:
        ended = OrderCanceled(order_id, CancelReason.SELF_TRADE)
    elif matches.remaining_lots and not type.rests:
        ended = OrderCanceled(order_id, CancelReason.REMAINDER)
    elif not matches.fills:
        return (placed,)
    else:
        return (placed, *_trades(matches, market, side, order_id))
    return (placed, *_trades(matches, market, side, order_id), ended)


def _trades(matches: Matches, market: Market, side: Side, order_id: int) -> list[Traded]:
    trades: list[Traded] = []
    trade_id = market.last_trade_id
    for resting, lots in matches.fills:
        trade_id += 1
        ticks = resting.limit_ticks
        base_units = lots * market.lot_units
        quote_units = lots * ticks * market.tick_lot_units
        taker_gets, maker_gets = (
            (quote_units, base_units) if resting.is_buy else (base_units, quote_units)
        )
        trades.append(
            Traded(
                trade_id,
                market.symbol,
                side,
                lots,
                ticks,
                resting.order_id,
                order_id,
                fee_units(maker_gets, market.maker_fee_e8),
                fee_units(taker_gets, market.taker_fee_e8),
            )
        )
    return trades


def _refuse_form(
    type: OrderType, lots: int, ticks: int, client_order_id: str | None, market: Market
) -> Refused | None:
    if not market.min_lots <= lots <= market.max_lots:
        return _bad(f"{lots} lots are not within {market.min_lots} and {market.max_lots}")
    if type is _MARKET:
        if ticks != 0:
            return _bad(f"a MARKET order has no limit, but {ticks} ticks were given")
    elif ticks < 1:
        return _bad(f"{type} needs a price of at least 1 tick, not {ticks}")
    if lots * ticks * market.tick_lot_units > COUNT_MAX:
        return _bad(f"{lots} lots at {ticks} ticks are worth more than can be booked")
    if client_order_id is not None and not (
        1 <= len(client_order_id) <= CLIENT_ORDER_ID_CHARACTERS
    ):
        return _bad(f"clientOrderId has {len(client_order_id)} characters, 1 to 36 are allowed")
    return None


def _refuse_balance(needed_units: int, asset: str, owner: Account) -> Refused | None:
    available_units = owner.available_units(asset)
    if needed_units <= available_units:
        return None
    return insufficient(asset, needed_units, available_units)


def _refuse_matches(
    command: PlaceOrder, matches: Matches, half: HalfBook, market: Market, owner: Account
) -> Refused | None:
    """A POST_ONLY order that takes; a MARKET BUY that can't pay for a single lot."""
    best = half.best()
    if best is None:
        return None
    takes = bool(matches.fills) or matches.met_own_order
    if command.type is OrderType.POST_ONLY and takes:
        reason = f"{command.side} at {command.limit_ticks} ticks would take from {best.ticks}"
        return Refused(ErrorCode.WOULD_TAKE, reason)
    if command.type is _MARKET and command.side is _BUY and not takes:
        quote = market.quote.name
        needed = best.ticks * market.tick_lot_units
        return insufficient(quote, needed, owner.available_units(quote))
    return None


def _bad(reason: str) -> Refused:
    return Refused(ErrorCode.BAD_ORDER, reason)


def insufficient(asset: str, needed_units: int, available_units: int) -> Refused:
    """More of an asset is needed than no open order reserves."""
    needed, available = ASSET_UNIT.text(needed_units), ASSET_UNIT.text(available_units)
    reason = f"{needed} {asset} are needed, {available} are available"
    return Refused(ErrorCode.INSUFFICIENT_BALANCE, reason)
