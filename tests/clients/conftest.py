"""As for the doors."""

from tests.doors.conftest import _nothing_is_our_fault, pytest_asyncio_loop_factories

__all__ = ["_nothing_is_our_fault", "pytest_asyncio_loop_factories"]
