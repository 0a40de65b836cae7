"""The command `jayx-stream`."""

import sys
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import App, Parameter

from jayx_stream import __version__
from jayx_stream.app.accounts_cli import accounts_app
from jayx_stream.app.checkpoint_cli import checkpoint
from jayx_stream.app.history_cli import history_app
from jayx_stream.app.journal_cli import journal_app
from jayx_stream.app.keys_cli import keys_app
from jayx_stream.app.logs import logged
from jayx_stream.app.markets_cli import markets_app
from jayx_stream.app.serve import ServeError, Serving, serve
from jayx_stream.engine import is_compiled

app = App(
    name="jayx-stream",
    help="A spot exchange's stream server that anyone can run.",
    version=f"{__version__} (compiled)" if is_compiled() else __version__,
    help_format="markdown",
)
journal_app.command(checkpoint)
app.command(journal_app)
app.command(history_app)
app.command(keys_app)
app.command(accounts_app)
app.command(markets_app)


@app.command(name="serve")
def serve_command(
    *,
    config: Path,
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    tls_dev: Annotated[bool, Parameter(negative="")] = False,
    demo: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 1,
    replay: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    speed: str = "1",
) -> None:
    """Run a venue: exchange, journal, REST and streams, until Ctrl-C.

    Clients alone, simulated traders, or a recorded market at ten times its pace:

    ```
    jayx-stream serve --config venue.toml
    jayx-stream serve --config venue.toml --demo --seed 7
    jayx-stream serve --config venue.toml --replay recorded.gz --speed 10 --data-dir replayed
    ```

    Parameters
    ----------
    config
        The configuration, a TOML file.
    host
        Address to listen on, in place of the configured one.
    port
        Port to listen on, in place of the configured one; 0 takes any free one.
    data_dir
        Where the journal is kept, in place of the configured folder.
    tls_dev
        Serve TLS with a certificate of the server's own making, for development.
    demo
        Let simulated traders make a market.
    seed
        Of the simulated traders: the same seed gives the same market.
    replay
        Recorded markets to drive the venue from, instead; the venue's clock is then the recording's.
    speed
        Of the replay: a multiple of the recorded pace, or max.
    """
    serving = Serving(
        config=config,
        host=host,
        port=port,
        data_dir=data_dir,
        tls_dev=tls_dev,
        demo=demo,
        seed=seed,
        replay=replay,
        speed=speed,
    )
    try:
        uvloop.run(serve(serving))
    except ServeError as error:
        if not error.is_told:
            print(f"jayx-stream: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def main() -> None:
    """Entry point of the command."""
    with logged("warning", "text"):
        app()
