"""`jayx-stream serve`: from the configuration to a served venue, and to its orderly end."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jayx_stream import __version__
from jayx_stream.app.config import Config, ConfigError, load
from jayx_stream.app.driving import Driving, DrivingError, choose
from jayx_stream.app.logs import LIFE, is_for_machines, logged
from jayx_stream.app.operator_port import OperatorPort
from jayx_stream.app.refolding import open_history
from jayx_stream.app.secret_file import SecretFileError
from jayx_stream.app.tls import VenueTls
from jayx_stream.app.vault import VaultError, open_vault
from jayx_stream.app.venue import EmbeddedVenue, SetupError
from jayx_stream.doors.listener import ListenError
from jayx_stream.doors.tls import TlsError
from jayx_stream.history import HistoryError
from jayx_stream.journal import JournalError
from jayx_stream.journal.sqlite import SqliteJournal
from jayx_stream.market import MarketError
from jayx_stream.market.recording import RecordingError

log = logging.getLogger(LIFE)

GC_THRESHOLDS = (10_000, 500, 1000)
"""The default looks through older objects so often that it takes a fifth of a replay's time. The first
number bounds the pause when connections end in a crowd: each leaves some hundred objects to be freed.
"""


class ServeError(Exception):
    """Why the venue can't be run, or no more."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        """2: the command or the configuration is at fault; 1: the world is."""
        self.is_told = False
        """Whether it stands in a log for machines, where nothing else is to be written."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What was asked for on the command line; None leaves it to the configuration."""

    config: Path
    host: str | None = None
    port: int | None = None
    data_dir: Path | None = None
    tls_dev: bool = False
    demo: bool = False
    seed: int = 1
    replay: tuple[Path, ...] = ()
    speed: str = "1"


async def serve(serving: Serving) -> None:
    """Run until a signal. Raises ServeError."""
    try:
        config = load(
            serving.config,
            serving.host,
            serving.port,
            serving.data_dir,
            tls_dev=serving.tls_dev,
        )
    except ConfigError as error:
        raise ServeError(str(error), 2) from error
    with logged(config.log.level, config.log.format):
        try:
            await _serve(serving, config)
        except ServeError as error:
            log.error("ended", extra={"reason": str(error), "exit_code": error.exit_code})
            error.is_told = is_for_machines()
            raise


async def _serve(serving: Serving, config: Config) -> None:
    try:
        driving = choose(
            config,
            demo=serving.demo,
            seed=serving.seed,
            replay=serving.replay,
            speed=serving.speed,
        )
        with _signals() as asked_to_stop:
            async with _venue(driving) as (venue, port):
                await _live(driving, venue, port, asked_to_stop)
                log.info("stopping", extra={"seq": venue.projections.seq})
                say("jayx-stream is stopping: clients are told, the journal is synced")
            log.info("stopped", extra={"seq": venue.projections.seq})
            say(f"jayx-stream has stopped at commit {venue.projections.seq}")
    except (DrivingError, RecordingError, TlsError) as error:
        raise ServeError(str(error), 2) from error
    except (
        ListenError,
        SetupError,
        SecretFileError,
        VaultError,
        MarketError,
        JournalError,
    ) as error:
        raise ServeError(str(error)) from error
    except HistoryError as error:
        raise ServeError(error.reason) from error


@contextlib.asynccontextmanager
async def _venue(driving: Driving) -> AsyncIterator[tuple[EmbeddedVenue, int]]:
    """A venue that serves, and that ends in order whatever happens meanwhile."""
    config = driving.config
    directory = Path(config.data.dir)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServeError(f"can't make the folder {directory}: {error.strerror}") from error
    tls = VenueTls(config.server, directory)
    vault = open_vault(config.keys.master_key_file, directory)
    journal = await SqliteJournal.open(directory)
    past = await open_history(directory, journal, config.data.changes_kept)
    venue = EmbeddedVenue(config, journal, driving.clock, directory, past, vault, tls=tls.server)
    operator = OperatorPort(venue, config.admin, directory, venue.metrics)
    try:
        # What is recovered stays; the collector need not look at it again and again.
        gc.disable()
        recovered = await venue.recover()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        gc.enable()
        operator.take()
        port = await venue.start()
        await operator.start()
        fields = {
            "host": config.server.host,
            "port": port,
            "recovered": str(recovered),
            "writes": venue.writes.how,
        }
        log.info("ready", extra=fields)
        say(
            _ready(
                config, port, f"journal in {directory}, {recovered}; writes by {venue.writes.how}"
            )
        )
        if operator.told is not None:
            say(operator.told)
        told = tls.told()
        if told is not None:
            say(told)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: say(tls.hang_up()))
        yield venue, port
    finally:
        try:
            await operator.stop()
        finally:
            await venue.stop()


async def _live(
    driving: Driving, venue: EmbeddedVenue, port: int, asked_to_stop: asyncio.Event
) -> None:
    """Let the market live until a signal comes. Raises JournalError if the exchange fails."""
    ends = [
        asyncio.create_task(asked_to_stop.wait()),
        asyncio.create_task(venue.exchange_end()),
    ]
    driven = asyncio.create_task(_drive(driving, venue, port))
    try:
        waited: list[asyncio.Task[Any]] = [*ends, driven]
        while not any(end.done() for end in ends):
            done, waiting = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            waited = list(waiting)
            for task in done:
                task.result()
    finally:
        for task in (*ends, driven):
            task.cancel()
        await asyncio.gather(*ends, driven, return_exceptions=True)


async def _drive(driving: Driving, venue: EmbeddedVenue, port: int) -> None:
    driver = driving.driver(venue)
    if driver is None:
        return
    await driver.prepare()
    run = asyncio.create_task(driver.run())
    say(await driving.begin(venue, port))
    await run
    say(driving.end())


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C or SIGTERM sets; another Ctrl-C ends the process at once."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if asked.is_set():
            say("jayx-stream ends at once; the journal holds all that was answered")
            os._exit(1)
        asked.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    loop.add_signal_handler(signal.SIGHUP, say, "jayx-stream was sent SIGHUP: it is not ready yet")
    try:
        yield asked
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)


def say(text: str) -> None:
    """Print a line; nobody has to listen."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _ready(config: Config, port: int, journal: str) -> str:
    secure = "s" if config.server.tls_cert or config.server.tls_dev else ""
    host = f"[{config.server.host}]" if ":" in config.server.host else config.server.host
    symbols = ", ".join(terms.symbol for terms in config.instruments)
    return (
        f"jayx-stream {__version__} is ready: ws{secure}://{host}:{port}/ and "
        f"http{secure}://{host}:{port}/api/v1/ for {symbols}; {journal}"
    )
