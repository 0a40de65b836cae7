"""The test-only applications, on the event loop that the doors are served on."""

from collections.abc import AsyncIterator

import pytest

from jayx_stream.wire.engineio import Terms
from tests.conformance.applications import Suites, start_suites
from tests.doors.conftest import _nothing_is_our_fault, pytest_asyncio_loop_factories

__all__ = ["_nothing_is_our_fault", "pytest_asyncio_loop_factories"]

PATIENT_TERMS = Terms(ping_interval=400, ping_timeout=1000, max_payload=1_000_000)
"""As the suites', for machines that are busy with other tests as well."""


@pytest.fixture
async def suites() -> AsyncIterator[Suites]:
    """Both suites' applications, on a port of their own."""
    served = await start_suites(0, PATIENT_TERMS)
    yield served
    await served.stop()
