"""Lines in the log about what operators answer for: accounts, money, keys, instruments, halts.

Rule: they are made of durable commits, so that each says what is so, and are never left out.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jayx_stream.app.logs import AUDIT
from jayx_stream.model.events import (
    AccountOpened,
    Commit,
    Deposited,
    Event,
    InstrumentListed,
    KeyAdded,
    KeyRevoked,
    TradingHalted,
    TradingResumed,
    Withdrawn,
)

log = logging.getLogger(AUDIT)

Fields = dict[str, Any]


def _money(event: Any) -> Fields:
    return {"account": event.account, "asset": event.asset, "reference": event.reference}


def _symbol(event: Any) -> Fields:
    return {"symbol": event.symbol}


def _key(event: Any) -> Fields:
    key = event.key
    permissions = ",".join(key.permissions)
    return {"key_id": key.key_id, "account": key.account, "permissions": permissions}


_LINES: Mapping[type[Event], tuple[str, Callable[[Any], Fields]]] = {
    AccountOpened: ("account opened", lambda event: {"account": event.account}),
    Deposited: ("deposit", _money),
    Withdrawn: ("withdrawal", _money),
    InstrumentListed: ("instrument listed", lambda event: {"symbol": event.instrument.symbol}),
    TradingHalted: ("market halted", _symbol),
    TradingResumed: ("market resumed", _symbol),
    KeyAdded: ("key added", _key),
    KeyRevoked: ("key revoked", lambda event: {"key_id": event.key_id}),
}


def write_audit(commits: Sequence[Commit]) -> None:
    """Write a line for each event of these durable commits that is to have one. Follows the feed."""
    for commit in commits:
        for event in commit.events:
            line = _LINES.get(type(event))
            if line is not None:
                message, fields = line
                log.info(message, extra={**fields(event), "seq": commit.seq})
