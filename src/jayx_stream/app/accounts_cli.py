"""The commands `jayx-stream accounts ...`: accounts of a server that runs, and their money."""

from typing import Any

from cyclopts import App

from jayx_stream.app.operator_client import Operator, Reach, run, segment
from jayx_stream.app.telling import tell, tell_rows

accounts_app = App(
    name="accounts",
    help="Accounts of a server that runs, and money in and out of them.",
    help_format="markdown",
)

HERE = Reach()


@accounts_app.command
def create(name: str, /, *, reach: Reach = HERE) -> None:
    """Make an account; one that is there already is left as it is.

    ```
    jayx-stream accounts create alice --config venue.toml
    ```

    Parameters
    ----------
    name
        Letters, digits, `.`, `_` and `-`.
    """

    def act(operator: Operator) -> None:
        account = operator.ask("POST", "accounts", {"name": name})
        tell(account, _owned(account), as_json=reach.as_json)

    run(reach, act)


@accounts_app.command(name="list")
def list_accounts(*, reach: Reach = HERE) -> None:
    """List accounts and what they own: an asset a line.

    ```
    jayx-stream accounts list --config venue.toml
    ```
    """

    def act(operator: Operator) -> None:
        accounts = list(operator.all_rows("accounts", "name"))
        if reach.as_json:
            tell_rows(accounts, (), as_json=True)
            return
        nothing = {"asset": None, "balance": None, "available": None}
        rows = [
            {"name": account["name"], **position}
            for account in accounts
            for position in account["spot"] or [nothing]
        ]
        tell_rows(rows, ("name", "asset", "balance", "available"), as_json=False)

    run(reach, act)


@accounts_app.command
def deposit(
    account: str, asset: str, amount: str, /, *, reference: str, reach: Reach = HERE
) -> None:
    """Bring money into an account. The same reference again brings none: it is safe to try again.

    ```
    jayx-stream accounts deposit alice USDT 2500.50 --reference wire-2031 --config venue.toml
    ```

    Parameters
    ----------
    account
        Whose.
    asset
        Such as USDT.
    amount
        A decimal, in the asset.
    reference
        Your name for this deposit, unique within the account.
    """
    _move("deposits", account, asset, amount, reference, reach)


@accounts_app.command
def withdraw(
    account: str, asset: str, amount: str, /, *, reference: str, reach: Reach = HERE
) -> None:
    """Take money out of an account, as far as no open order reserves it. The same reference again takes none.

    ```
    jayx-stream accounts withdraw alice BTC 0.25 --reference payout-7 --config venue.toml
    ```

    Parameters
    ----------
    account
        Whose.
    asset
        Such as USDT.
    amount
        A decimal, in the asset.
    reference
        Your name for this withdrawal, unique within the account.
    """
    _move("withdrawals", account, asset, amount, reference, reach)


def _move(what: str, account: str, asset: str, amount: str, reference: str, reach: Reach) -> None:
    def act(operator: Operator) -> None:
        money = {"asset": asset, "amount": amount, "reference": reference}
        owned = operator.ask("POST", f"accounts/{segment(account)}/{what}", money)
        tell(owned, _owned(owned), as_json=reach.as_json)

    run(reach, act)


def _owned(account: dict[str, Any]) -> str:
    positions = [
        f"{each['balance']} {each['asset']} ({each['available']} available)"
        for each in account["spot"]
    ]
    return f"{account['name']} owns {', '.join(positions) or 'nothing'}"
