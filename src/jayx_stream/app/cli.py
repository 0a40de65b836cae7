"""The command `jayx-stream`."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import App, Parameter

from jayx_stream import __version__
from jayx_stream.app.checkpoint_cli import checkpoint
from jayx_stream.app.history_cli import history_app
from jayx_stream.app.journal_cli import journal_app
from jayx_stream.app.serve import ServeError, Serving, serve

app = App(
    name="jayx-stream",
    help="A spot exchange's stream server that anyone can run.",
    version=__version__,
    help_format="markdown",
)
journal_app.command(checkpoint)
app.command(journal_app)
app.command(history_app)


@app.command(name="serve")
def serve_command(
    *,
    config: Path,
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
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
        demo=demo,
        seed=seed,
        replay=replay,
        speed=speed,
    )
    try:
        uvloop.run(serve(serving))
    except ServeError as error:
        print(f"jayx-stream: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def main() -> None:
    """Entry point of the command."""
    _log_plainly()
    app()


def _log_plainly() -> None:
    """What the rooms below have to say goes to the standard error, as it is."""
    lines = logging.StreamHandler()
    lines.setFormatter(logging.Formatter("jayx-stream: %(message)s"))
    logger = logging.getLogger("jayx_stream")
    logger.addHandler(lines)
    logger.propagate = False
