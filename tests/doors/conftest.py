"""The doors are tested on the event loop that they are served on, and nothing they meet is our fault."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def _nothing_is_our_fault(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An exception that nobody expected ends in the log: of an event loop, or of uvicorn as HTTP 500."""
    yield
    faults = [each for each in caplog.get_records("call") if each.levelno >= logging.ERROR]
    assert not faults, faults[0].getMessage()
