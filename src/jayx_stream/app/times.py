"""Times as people read them."""

from datetime import UTC, datetime

MS_PER_S = 1000


def utc(time_ms: int | None) -> str | None:
    """Milliseconds since the epoch as a date and a time, to the second; nothing for nothing."""
    if time_ms is None:
        return None
    return f"{datetime.fromtimestamp(time_ms // MS_PER_S, UTC):%Y-%m-%dT%H:%M:%SZ}"
