"""The operator's API: keys, accounts, money, and trading's halt, on a port of their own.

Rule: nothing is answered without the token, and all that changes anything is a command like any trader's:
decided by the exchange, journaled, answered once it is durable.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Protocol, TypeVar

from msgspec import Raw, Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jayx_stream.doors.body import BodyError, read_body
from jayx_stream.doors.operator_forms import (
    AccountPayload,
    AccountRequest,
    CancelRequest,
    HaltedPayload,
    HaltRequest,
    Issued,
    KeyPayload,
    KeyRequest,
    MarketPayload,
    MoneyRequest,
    account_payload,
    canceled_payload,
    issued_payload,
    key_payload,
)
from jayx_stream.doors.query import Query, answer, refusal
from jayx_stream.model.answers import Answer, Done
from jayx_stream.model.commands import (
    AddKey,
    CancelAsOperator,
    Command,
    Deposit,
    HaltTrading,
    OpenAccount,
    ResumeTrading,
    RevokeKey,
    Withdraw,
)
from jayx_stream.model.names import ACCOUNT, NAME_CHARACTERS
from jayx_stream.model.reasons import ErrorCode, Refused
from jayx_stream.model.units import ASSET_UNIT
from jayx_stream.projections import Projections
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.subscribing import decode
from jayx_stream.wire.trading import as_error

ROWS_DEFAULT = 100
ROWS_MAX = 1000
"""Keys or accounts in one answer; `after` the last one, the next begin."""

REFERENCE_MAX = 100
"""Characters."""

Endpoint = Callable[[Request], Awaitable[Response]]
Form = TypeVar("Form", bound=Struct)
Row = TypeVar("Row")


class Operated(Protocol):
    """What the operator's routes speak for."""

    @property
    def projections(self) -> Projections:
        """All that can be seen."""
        ...

    @property
    def limits(self) -> Limits:
        """What a client may do; its bodies are bound here, too."""
        ...

    def submit(self, command: Command) -> Awaitable[Answer]:
        """Have a command decided; see `Desk`."""
        ...

    def issue(self, request: KeyRequest) -> Issued:
        """A new key, which nobody knows yet. Raises ValueError that names the value at fault."""
        ...


class OperatorRoutes:
    """What the holder of the operator's token may ask."""

    def __init__(self, venue: Operated, token: str) -> None:
        self._venue = venue
        self._token = token.encode()
        self.failed_tokens = 0
        """Requests without the token, or with a wrong one."""

    def routes(self) -> list[Route]:
        """Paths under `/operator`."""
        return [
            Route(f"/operator/{path}", self._guarded(endpoint), methods=[method])
            for path, method, endpoint in (
                ("keys", "GET", self.keys),
                ("keys", "POST", self.create_key),
                ("keys/{key_id}", "DELETE", self.revoke_key),
                ("accounts", "GET", self.accounts),
                ("accounts", "POST", self.open_account),
                ("accounts/{account}/deposits", "POST", self.deposit),
                ("accounts/{account}/withdrawals", "POST", self.withdraw),
                ("markets", "GET", self.markets),
                ("markets/{symbol}/halt", "POST", self.halt),
                ("markets/{symbol}/resume", "POST", self.resume),
                ("orders/cancel", "POST", self.cancel),
            )
        ]

    # Keys.

    async def keys(self, request: Request) -> Response:
        """All keys that ever were, oldest first; or those of one `account`."""
        query, projections = Query(request.query_params), self._venue.projections
        account = query.get("account")
        views = [each for each in projections.keys.all() if account in (None, each.key.account)]
        rows = [key_payload(each) for each in _page(query, views, lambda view: view.key.key_id)]
        return answer(rows, projections.seq)

    async def create_key(self, request: Request) -> Response:
        """Make a key. What it is used with is told in this answer, and never again."""
        wanted = await self._read(request, KeyRequest)
        try:
            issued = self._venue.issue(wanted)
        except ValueError as error:
            raise ProtocolError(ErrorCode.BAD_REQUEST, str(error)) from None
        done = await self._done(AddKey(key=issued.key))
        created = answer(issued_payload(issued), done.seq)
        created.headers["Cache-Control"] = "no-store"
        return created

    async def revoke_key(self, request: Request) -> Response:
        """Let a key in no more, and end the connections that it let in."""
        key_id = request.path_params["key_id"]
        self._key(key_id)
        done = await self._done(RevokeKey(key_id=key_id))
        return answer(self._key(key_id), done.seq)

    def _key(self, key_id: str) -> KeyPayload:
        view = self._venue.projections.keys.by_id(key_id)
        if view is None:
            raise _NotThere(f"no key {key_id}")
        return key_payload(view)

    # Accounts.

    async def accounts(self, request: Request) -> Response:
        """Accounts by name, with their balances."""
        query, projections = Query(request.query_params), self._venue.projections
        names = [name for name, _ in projections.positions.state()]
        rows = [self._account(name) for name in _page(query, names, lambda name: name)]
        return answer(rows, projections.seq)

    async def open_account(self, request: Request) -> Response:
        """Make an account; one that is there is left as it is."""
        name = (await self._read(request, AccountRequest)).name
        if not ACCOUNT.fullmatch(name):
            reason = f"{name!r} is no name: 1 to 64 {NAME_CHARACTERS}"
            raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
        done = await self._done(OpenAccount(account=name))
        return answer(self._account(name), done.seq)

    async def deposit(self, request: Request) -> Response:
        """Bring money in, once for each reference; gives what the account owns then."""
        account, money, units = await self._money(request)
        traded = self._venue.projections.instruments.values()
        if not any(money.asset in (each.base, each.quote) for each in traded):
            reason = f"no instrument trades {money.asset}"
            raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
        done = await self._done(
            Deposit(account=account, asset=money.asset, units=units, reference=money.reference)
        )
        return answer(self._account(account), done.seq)

    async def withdraw(self, request: Request) -> Response:
        """Take money out, once for each reference; gives what the account owns then."""
        account, money, units = await self._money(request)
        done = await self._done(
            Withdraw(account=account, asset=money.asset, units=units, reference=money.reference)
        )
        return answer(self._account(account), done.seq)

    async def _money(self, request: Request) -> tuple[str, MoneyRequest, int]:
        money = await self._read(request, MoneyRequest)
        if not 1 <= len(money.reference) <= REFERENCE_MAX or not money.reference.isprintable():
            reason = (
                f"reference {money.reference!r} is not 1 to {REFERENCE_MAX} printable characters"
            )
            raise ProtocolError(ErrorCode.BAD_REQUEST, reason)
        try:
            units = ASSET_UNIT.count(money.amount)
        except ValueError as error:
            raise ProtocolError(ErrorCode.BAD_REQUEST, f"amount: {error}") from None
        return request.path_params["account"], money, units

    def _account(self, name: str) -> AccountPayload:
        return account_payload(name, self._venue.projections.positions.of(name))

    # Markets.

    async def markets(self, request: Request) -> Response:
        """All instruments, and which of them are halted."""
        projections = self._venue.projections
        rows = [
            MarketPayload(each.symbol, each.base, each.quote, each.symbol in projections.halted)
            for each in projections.instruments.values()
        ]
        return answer(rows, projections.seq)

    async def halt(self, request: Request) -> Response:
        """Take no more orders of an instrument; with `cancel_orders`, cancel those that are open."""
        wanted, symbol = await self._read(request, HaltRequest), request.path_params["symbol"]
        halt = HaltTrading(symbol=symbol, cancel_orders=wanted.cancel_orders)
        done = await self._done(halt)
        return answer(HaltedPayload(symbol, True, len(done.orders)), done.seq)

    async def resume(self, request: Request) -> Response:
        """Take orders of an instrument again."""
        symbol = request.path_params["symbol"]
        done = await self._done(ResumeTrading(symbol=symbol))
        return answer(HaltedPayload(symbol, False, 0), done.seq)

    async def cancel(self, request: Request) -> Response:
        """Cancel the open orders that all of `id`, `account` and `symbol` that is given fits."""
        wanted = await self._read(request, CancelRequest)
        if wanted == CancelRequest():
            raise ProtocolError(ErrorCode.BAD_REQUEST, "give an id, an account or a symbol")
        done = await self._done(
            CancelAsOperator(order_id=wanted.id, account=wanted.account, symbol=wanted.symbol)
        )
        instruments = self._venue.projections.instruments
        orders = [canceled_payload(each, instruments[each.symbol]) for each in done.orders]
        return answer(orders, done.seq)

    # What they have in common.

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            given = token.strip().encode("utf-8", "replace")
            if not hmac.compare_digest(given, self._token) or scheme.lower() != "bearer":
                self.failed_tokens += 1
                refused = refusal(ErrorCode.UNAUTHORIZED, "this wants the operator's token")
                refused.headers["WWW-Authenticate"] = "Bearer"
                refused.headers["Connection"] = "close"
                return refused
            return await endpoint(request)

        return guarded

    async def _read(self, request: Request, form: type[Form]) -> Form:
        """The body; none at all is one without fields."""
        return decode(Raw(await read_body(request, self._venue.limits) or b"{}"), form)

    async def _done(self, command: Command) -> Done:
        answered = await self._venue.submit(command)
        if isinstance(answered, Refused):
            raise as_error(answered)
        return answered


class _NotThere(ProtocolError):
    """The path names something that isn't there."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorCode.BAD_REQUEST, reason)


def operator_application(routes: Sequence[Route]) -> Starlette:
    """The HTTP of the operator's port."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProtocolError)
        status = HTTPStatus.NOT_FOUND if isinstance(error, _NotThere) else None
        refused = refusal(error.code, error.reason, status)
        if isinstance(error, BodyError):
            refused.headers["Connection"] = "close"
        return refused

    async def unknown(request: Request, error: Exception) -> Response:
        path = f"{request.method} {request.url.path}"
        return refusal(ErrorCode.BAD_REQUEST, f"nothing at {path}", HTTPStatus.NOT_FOUND)

    async def wrong_method(request: Request, error: Exception) -> Response:
        reason = f"{request.url.path} does not take {request.method}"
        return refusal(ErrorCode.BAD_REQUEST, reason, HTTPStatus.METHOD_NOT_ALLOWED)

    async def our_fault(request: Request, error: Exception) -> Response:
        return refusal(ErrorCode.INTERNAL, "our fault; it stands in the server's log")

    return Starlette(
        routes=list(routes),
        exception_handlers={
            ProtocolError: refused,
            HTTPStatus.NOT_FOUND: unknown,
            HTTPStatus.METHOD_NOT_ALLOWED: wrong_method,
            Exception: our_fault,
        },
    )


def _page(query: Query, rows: Sequence[Row], name: Callable[[Row], str]) -> Sequence[Row]:
    """At most `limit` rows, those behind the one that `after` names."""
    limit, after = query.integer("limit", ROWS_DEFAULT, 1, ROWS_MAX), query.get("after")
    if after is None:
        return rows[:limit]
    names = [name(row) for row in rows]
    if after not in names:
        raise ProtocolError(ErrorCode.BAD_REQUEST, f"after {after!r}: there is no such row")
    start = names.index(after) + 1
    return rows[start : start + limit]
