"""What every driver does first: accounts, money, and a clean start."""

from collections.abc import Iterable

from jayx_stream.market import MarketError, Submit
from jayx_stream.model.commands import CancelAll, Command, Deposit, OpenAccount
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.reasons import Refused
from jayx_stream.model.units import power_of_ten

REPLAY_DEPOSIT_UNITS = power_of_ten(10 + 8)
"""Of each asset, to each of the replay's 2 accounts: ten thousand million coins."""
SIMULATED_DEPOSIT_UNITS = 5 * power_of_ten(9 + 8)
"""Of each asset, to each of the 6 simulated traders. With the replay's this is 5 × 10¹⁸, of the
9.2 × 10¹⁸ units that a venue can hold of an asset.
"""


async def fund(
    submit: Submit, accounts: Iterable[str], instruments: Iterable[Instrument], units: int
) -> None:
    """Open the accounts, bring `units` of every traded asset into each, once ever, and cancel
    their open orders. Raises MarketError if any of it is refused.
    """
    assets = sorted({asset for each in instruments for asset in (each.base, each.quote)})
    for account in accounts:
        await _insist(submit, OpenAccount(account=account))
        for asset in assets:
            reference = f"market {asset}"
            deposit = Deposit(account=account, asset=asset, units=units, reference=reference)
            await _insist(submit, deposit)
        await _insist(submit, CancelAll(account=account))


async def _insist(submit: Submit, command: Command) -> None:
    answer = await submit(command)
    if isinstance(answer, Refused):
        raise MarketError(f"{type(command).__name__} was refused: {answer.reason}")
