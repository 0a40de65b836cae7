"""What a naive exchange knows beside its orders: instruments, accounts, money, halts and keys."""

from collections.abc import Callable
from fractions import Fraction

from jayx_stream.model.commands import (
    AddKey,
    Deposit,
    HaltTrading,
    ListInstrument,
    OpenAccount,
    OperatorCommand,
    ResumeTrading,
    RevokeKey,
    Withdraw,
)
from jayx_stream.model.events import (
    AccountOpened,
    AnyEvent,
    Deposited,
    InstrumentListed,
    KeyAdded,
    KeyRevoked,
    TradingHalted,
    TradingResumed,
    Withdrawn,
)
from jayx_stream.model.instrument import Instrument
from jayx_stream.model.key import Key
from jayx_stream.model.reasons import ErrorCode

LARGEST = 2**63 - 1
UNITS = 10**8
"""Of an asset."""


class NaiveVenue:
    """Does a command at once, and says what happened or gives the code of its refusal."""

    def __init__(self) -> None:
        self.happened: list[AnyEvent] = []
        """Through the present command."""
        self.instruments: list[Instrument] = []
        self.halted: list[str] = []
        self.accounts: list[str] = []
        self.deposits: list[Deposit] = []
        self.withdrawals: list[Withdraw] = []
        self.money: dict[tuple[str, str], int] = {}
        """Units by account and asset."""
        self.keys: list[Key] = []
        self.revoked: list[Key] = []

    def execute(
        self, command: OperatorCommand, free: Callable[[str, str], int]
    ) -> ErrorCode | None:
        """Do it, or say why not. `free`: units of an asset that an account can do without."""
        match command:
            case OpenAccount(account=account):
                if account in ("", "fees", "outside"):
                    return ErrorCode.BAD_REQUEST
                if account not in self.accounts:
                    self.accounts.append(account)
                    self.happened.append(AccountOpened(account))
            case Deposit():
                return self._deposit(command)
            case Withdraw():
                return self._withdraw(command, free)
            case ListInstrument(instrument=instrument):
                return self._list(instrument)
            case HaltTrading() | ResumeTrading():
                return self._halt_or_resume(command)
            case AddKey(key=key):
                return self._add_key(key)
            case RevokeKey(key_id=key_id):
                return self._revoke_key(key_id)
        return None

    def lists(self, symbol: str | None) -> bool:
        """Whether a symbol may be named in a command."""
        return symbol is None or symbol in [each.symbol for each in self.instruments]

    def instrument(self, symbol: str) -> Instrument:
        return next(each for each in self.instruments if each.symbol == symbol)

    def pay(self, giver: str, taker: str, asset: str, units: int) -> None:
        self.money[giver, asset] = self.owned(giver, asset) - units
        self.money[taker, asset] = self.owned(taker, asset) + units

    def owned(self, account: str, asset: str) -> int:
        return self.money.get((account, asset), 0)

    def _deposit(self, asked: Deposit) -> ErrorCode | None:
        if asked.account not in self.accounts:
            return ErrorCode.BAD_REQUEST
        for made in self.deposits:
            if (made.account, made.reference) == (asked.account, asked.reference):
                return None
        total = sum(made.units for made in self.deposits if made.asset == asked.asset)
        total -= sum(made.units for made in self.withdrawals if made.asset == asked.asset)
        if asked.units < 1 or total + asked.units > LARGEST:
            return ErrorCode.BAD_REQUEST
        self.deposits.append(asked)
        self.happened.append(Deposited(asked.account, asked.asset, asked.units, asked.reference))
        self.pay("outside", asked.account, asked.asset, asked.units)
        return None

    def _withdraw(self, asked: Withdraw, free: Callable[[str, str], int]) -> ErrorCode | None:
        if asked.account not in self.accounts:
            return ErrorCode.BAD_REQUEST
        for made in self.withdrawals:
            if (made.account, made.reference) == (asked.account, asked.reference):
                return None if made == asked else ErrorCode.BAD_REQUEST
        if asked.units < 1:
            return ErrorCode.BAD_REQUEST
        if asked.units > free(asked.account, asked.asset):
            return ErrorCode.INSUFFICIENT_BALANCE
        self.withdrawals.append(asked)
        self.happened.append(Withdrawn(asked.account, asked.asset, asked.units, asked.reference))
        self.pay(asked.account, "outside", asked.asset, asked.units)
        return None

    def _list(self, new: Instrument) -> ErrorCode | None:
        for old in self.instruments:
            if old.symbol == new.symbol:
                same_assets = (old.base, old.quote) == (new.base, new.quote)
                if not same_assets or _tick(old) != _tick(new) or _lot(old) != _lot(new):
                    return ErrorCode.BAD_REQUEST
        if new not in self.instruments:
            self.instruments = [old for old in self.instruments if old.symbol != new.symbol] + [new]
            self.happened.append(InstrumentListed(new))
        return None

    def _halt_or_resume(self, asked: HaltTrading | ResumeTrading) -> ErrorCode | None:
        if not self.lists(asked.symbol):
            return ErrorCode.UNKNOWN_SYMBOL
        was_halted, halts = asked.symbol in self.halted, isinstance(asked, HaltTrading)
        if halts and not was_halted:
            self.halted.append(asked.symbol)
            self.happened.append(TradingHalted(asked.symbol))
        elif was_halted and not halts:
            self.halted.remove(asked.symbol)
            self.happened.append(TradingResumed(asked.symbol))
        return None

    def _add_key(self, key: Key) -> ErrorCode | None:
        if key.account not in self.accounts:
            return ErrorCode.BAD_REQUEST
        for other in self.keys:
            if other.digest.hex()[:12] == key.digest.hex()[:12]:
                return ErrorCode.BAD_REQUEST
        self.keys.append(key)
        self.happened.append(KeyAdded(key))
        return None

    def _revoke_key(self, key_id: str) -> ErrorCode | None:
        for key in self.keys:
            if key.digest.hex()[:12] == key_id:
                if key not in self.revoked:
                    self.revoked.append(key)
                    self.happened.append(KeyRevoked(key_id))
                return None
        return ErrorCode.BAD_REQUEST


def cost(instrument: Instrument, lots: int, ticks: int) -> int:
    """Units of the quote asset."""
    tick, lot = instrument.tick_size, instrument.lot_size
    mantissa = lots * lot.mantissa * ticks * tick.mantissa
    return _whole(mantissa, lot.decimals + tick.decimals)


def goods(instrument: Instrument, lots: int) -> int:
    """Units of the base asset."""
    return _whole(lots * instrument.lot_size.mantissa, instrument.lot_size.decimals)


def _whole(mantissa: int, decimals: int) -> int:
    units, rest = divmod(mantissa * UNITS, 10**decimals)
    assert rest == 0, f"{mantissa} / 10^{decimals} is no whole number of units"
    return int(units)


def _tick(instrument: Instrument) -> Fraction:
    return Fraction(instrument.tick_size.mantissa, 10**instrument.tick_size.decimals)


def _lot(instrument: Instrument) -> Fraction:
    return Fraction(instrument.lot_size.mantissa, 10**instrument.lot_size.decimals)
