"""The commands `jayx-stream markets ...`: trading halted and resumed on a running server, orders canceled."""

from typing import Annotated

from cyclopts import App, Parameter

from jayx_stream.app.operator_client import Operator, Reach, run, segment
from jayx_stream.app.telling import tell, tell_rows

markets_app = App(
    name="markets",
    help="Trading on a server that runs: halted, resumed, orders canceled.",
    help_format="markdown",
)

HERE = Reach()
ORDER_COLUMNS = ("id", "account", "symbol", "side", "price", "quantity")


@markets_app.command(name="list")
def list_markets(*, reach: Reach = HERE) -> None:
    """List instruments, and which of them are halted.

    ```
    jayx-stream markets list --config venue.toml
    ```
    """

    def act(operator: Operator) -> None:
        rows = operator.ask("GET", "markets")
        tell_rows(rows, ("symbol", "base", "quote", "halted"), as_json=reach.as_json)

    run(reach, act)


@markets_app.command
def halt(
    symbol: str,
    /,
    *,
    cancel_orders: Annotated[bool, Parameter(negative="")] = False,
    reach: Reach = HERE,
) -> None:
    """Take no more orders of an instrument. Open ones rest, and can be canceled, but don't trade.

    ```
    jayx-stream markets halt BTCUSDT --config venue.toml
    jayx-stream markets halt BTCUSDT --cancel-orders --config venue.toml
    ```

    Parameters
    ----------
    symbol
        Such as BTCUSDT.
    cancel_orders
        Cancel all its open orders, too.
    """

    def act(operator: Operator) -> None:
        wanted = {"cancel_orders": cancel_orders}
        halted = operator.ask("POST", f"markets/{segment(symbol)}/halt", wanted)
        text = f"{symbol} is halted; {halted['canceled']} orders were canceled"
        tell(halted, text, as_json=reach.as_json)

    run(reach, act)


@markets_app.command
def resume(symbol: str, /, *, reach: Reach = HERE) -> None:
    """Take orders of an instrument again.

    ```
    jayx-stream markets resume BTCUSDT --config venue.toml
    ```

    Parameters
    ----------
    symbol
        Such as BTCUSDT.
    """

    def act(operator: Operator) -> None:
        resumed = operator.ask("POST", f"markets/{segment(symbol)}/resume")
        tell(resumed, f"{symbol} trades", as_json=reach.as_json)

    run(reach, act)


@markets_app.command
def cancel(
    *,
    order: int | None = None,
    account: str | None = None,
    symbol: str | None = None,
    reach: Reach = HERE,
) -> None:
    """Cancel the open orders that all of what is given fits, whoever owns them.

    ```
    jayx-stream markets cancel --order 1207 --config venue.toml
    jayx-stream markets cancel --account alice --symbol BTCUSDT --config venue.toml
    ```

    Parameters
    ----------
    order
        The one with this id.
    account
        Those of this account.
    symbol
        Those of this instrument.
    """

    def act(operator: Operator) -> None:
        wanted = {"id": order, "account": account, "symbol": symbol}
        rows = operator.ask("POST", "orders/cancel", wanted)
        tell_rows(rows, ORDER_COLUMNS, as_json=reach.as_json)

    run(reach, act)
